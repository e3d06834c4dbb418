"""Walks landed batches through load, gates and build, in one process and for either target."""
