"""Batches and their manifests: landed, committed, verified."""
