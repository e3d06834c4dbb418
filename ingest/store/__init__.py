"""The object store: any S3, or the embedded one."""
