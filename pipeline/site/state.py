"""What the front page says, as one JSON object: from the warehouse and from dbt's catalogue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from ibis import _

from notebooks.marts import Marts

# In the order in which data moves, the marts first, since people come for them.
SCHEMAS = ("marts", "snapshots", "quality", "intermediate", "staging", "raw")
COUNTS = ("rows_read", "rows_loaded", "rows_rejected")


def state(marts: Marts, target: str) -> dict[str, Any]:
    """Data set, batches, rows per relation, freshness, and the tests of the last published run; times in UTC."""
    ledger = marts.table("load_ledger", "raw").group_by("batch_id")
    loaded = _records(ledger.aggregate(loaded_at=_.loaded_at.max(), **{name: _[name].sum() for name in COUNTS}))
    totals = {entry["batch_id"]: entry for entry in loaded}
    tables = _records(marts.table("batches", "raw").order_by("batch_id", "table_name"))
    changes = marts.table("int_batch_changes", "intermediate")
    runs = marts.table("runs", "ops").select("started_at", "tests", "findings")
    return {
        "target": target,
        "generated_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "dataset": tables[-1]["dataset"] if tables else None,
        "as_of": max((table["as_of"] for table in tables), default=None),
        "loaded_at": max((entry["loaded_at"] for entry in loaded), default=None),
        "built_at": _records(marts.table("builds", "ops").aggregate(at=_.built_at.max()))[0]["at"],
        "totals": {name: sum(entry[name] for entry in loaded) for name in COUNTS},
        "batches": [
            {"id": number, "as_of": as_of, "tables": {table["table_name"]: table["mode"] for table in group}}
            | totals[number]
            for (number, as_of), group in groupby(tables, itemgetter("batch_id", "as_of"))
        ],
        "withdrawn": _records(marts.table("withdrawals", "ops").order_by("batch_id")),
        "changes": _records(changes.filter(_._batch == changes._batch.max()).order_by("table_name")),
        "rows": {f"{schema}.{name}": rows for (schema, name), rows in marts.counts(*SCHEMAS).items()},
        "tests": next(iter(_records(runs.order_by(_.started_at.desc()).limit(1))), None),
    }


def descriptions(manifest: dict[str, Any], prefix: str) -> dict[str, dict[str, str]]:
    """The description of each relation, and its page in dbt's documentation, by `schema.name`."""
    return {
        f"{node['schema'].lower().removeprefix(prefix)}.{node['name'].lower()}": {
            "description": node["description"],
            "page": f"dbt/index.html#!/{node['resource_type']}/{node['unique_id']}",
        }
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        if node["resource_type"] in ("model", "snapshot", "seed", "source")
    }


def _records(table: Any) -> list[dict[str, Any]]:
    frame = table.to_pandas()
    for name in frame.columns:
        if "datetime" in str(frame[name].dtype):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M:%S")
    return list(json.loads(frame.to_json(orient="records")))
