"""What a checkpoint does after its suites have run."""

from __future__ import annotations

from typing import Any, Literal

from great_expectations.checkpoint.actions import ValidationAction


class KeepNewestResults(ValidationAction):
    """Removes the results of earlier runs of the same suites: the pages tell of the newest."""

    type: Literal["keep_newest_results"] = "keep_newest_results"

    def run(self, checkpoint_result: Any, action_context: Any = None) -> dict[str, int]:
        """Returns how many results were removed."""
        store = self._data_context.validation_results_store
        newest = set(checkpoint_result.run_results)
        suites = {key.expectation_suite_identifier.name for key in newest}
        times = {str(key.run_id.run_time) for key in newest}
        older = [
            key
            for key in store.list_keys()
            if key.expectation_suite_identifier.name in suites and str(key.run_id.run_time) not in times
        ]
        for key in older:
            store.remove_key(key)
        return {"removed": len(older)}
