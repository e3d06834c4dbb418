"""What can go wrong for a user, each with what happened, where, and what to do next."""


class IngestError(Exception):
    """A mistake or a fault that a person can act on: shown as one message, never as a traceback."""


class SettingsError(IngestError):
    """A variable of the environment cannot be used."""


class SourceError(IngestError):
    """The data set, its archive or one of its files cannot be used."""


class QuarantineError(IngestError):
    """More of a file was rejected than is allowed: nothing was committed."""


class StoreError(IngestError):
    """The object store is out of reach, refused the credentials, or answered wrongly."""


class BatchError(IngestError):
    """A batch breaks a rule of its data set: its order in time, its tables, or a concurrent landing."""
