"""Takes landed batches through load, build, gate and publish, in one process and for either target."""
