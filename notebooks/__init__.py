"""Exploration of the marts, on either target."""
