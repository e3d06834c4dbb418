"""What can go wrong between a landed batch and a published warehouse, as one message for a person."""


class PipelineError(Exception):
    """A step failed, or may not be taken: what happened, where, and what to do next."""
