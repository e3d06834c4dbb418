"""The one Great Expectations class of the project: a measure's values lie in their band.

GX computes a metric once for all expectations that ask for it with the same query. All measures of a suite ask with
the suite's query, so that a suite is one round trip, however many expectations it holds.
"""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.render.components import (
    CollapseContent,
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.renderer import renderer

from expectations.measure import ROWS_NAMED, Band, Unit
from expectations.verdict import amount, wanted

NOTHING = "none, or too few to judge"


class ExpectMeasureInBand(UnexpectedRowsExpectation):
    """Expects a measure's values between `low` and `high`, where at least `evidence` rows speak for them.

    The suite's query returns rows of `measure`, `subject`, `observed` and `weight`; no row means nothing to judge.
    """

    measure: str
    title: str
    unit: Unit
    low: float | None = None
    high: float | None = None
    evidence: int = 1
    why: str = ""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    @property
    def band(self) -> Band:
        """The band."""
        return Band(self.low, self.high)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        rows = [{key.lower(): cell for key, cell in row.items()} for row in metrics["unexpected_rows_query.table"]]
        rows = [row for row in rows if row["measure"] == self.measure and row["observed"] is not None]
        outside = [
            row
            for row in rows
            if not self.band.holds(float(row["observed"])) and int(row["weight"] or 0) >= self.evidence
        ]
        shown = outside or rows
        values = list(dict.fromkeys(amount(float(row["observed"]), self.unit) for row in shown))
        samples = [_sample(row, len(values) > 1, self.unit) for row in outside if row["subject"] is not None]
        return {
            "success": not outside,
            "result": {
                "observed_value": ", ".join(values[: 1 if samples else ROWS_NAMED]) or NOTHING,
                "details": {"rows": samples[:20]},
            },
        }

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **_: Any
    ) -> list[RenderedStringTemplateContent]:
        kwargs = configuration.kwargs
        band = wanted(Band(kwargs.get("low"), kwargs.get("high")), kwargs["unit"])
        stops = "or the run stops" if configuration.meta["severity"] == "error" else "or you are told"
        params = {"title": kwargs["title"], "band": f"{band}, {stops}", "why": kwargs.get("why") or ""}
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template",
                string_template={
                    "template": "$title: $band. $why",
                    "params": params,
                    "styling": {"params": {"title": {"tag": "strong"}}},
                },
            )
        ]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **_: Any
    ) -> str:
        return escape(str((result.result or {}).get("observed_value", "could not be evaluated")))

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[RenderedTableContent | CollapseContent] | None:
        rows = ((result.result or {}).get("details") or {}).get("rows")
        if not rows:
            return None
        return [
            RenderedTableContent(
                content_block_type="table",
                header_row=["Rows that show it"],
                table=[[escape(row)] for row in rows],
                styling={"body": {"classes": ["table-bordered", "table-sm", "mt-3"]}},
            )
        ]


def _sample(row: dict[str, Any], several: bool, unit: Any) -> str:
    return f"{row['subject']}: {amount(float(row['observed']), unit)}" if several else str(row["subject"])
