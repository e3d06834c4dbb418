"""What can go wrong between a landed batch and a published warehouse, as one message for a person."""


class PipelineError(Exception):
    """A step failed, or may not be taken: what happened, where, and what to do next."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the message alone."""
        return [f"{type(self).__name__}: {self}"]
