"""Lands MovieLens CSV files as immutable batches in an S3-compatible object store."""
