"""What can go wrong on the walk, as one message for a person."""


class PipelineError(Exception):
    """A step failed, or may not be taken: what happened, where, and what to do next."""
