"""What the front page says, as one JSON object: from the warehouse and from dbt's catalogue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ibis import _

from notebooks.marts import Marts

# In the order in which data moves, the marts first, since people come for them.
SCHEMAS = ("marts", "snapshots", "quality", "intermediate", "staging", "raw")


def state(marts: Marts, target: str) -> dict[str, Any]:
    """Data set, batches, rows per relation, freshness, and the tests of the last published run; times in UTC."""
    entries = _records(marts.table("load_ledger", "raw").order_by("batch_id", "table_name"))
    batches = _records(marts.table("batches", "raw").order_by("batch_id", "table_name"))
    builds = _records(marts.table("builds", "ops").order_by(_.built_at.desc()).limit(1))
    changes = marts.table("int_batch_changes", "intermediate")
    runs = marts.table("runs", "ops").select("started_at", "tests", "findings")
    newest = max((entry["loaded_at"] for entry in entries), default=None)
    return {
        "target": target,
        "generated_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "dataset": batches[-1]["dataset"] if batches else None,
        "as_of": max((batch["as_of"] for batch in batches), default=None),
        "loaded_at": newest,
        "built_at": builds[0]["built_at"] if builds else None,
        "batches": _batches(batches, entries),
        "withdrawn": _records(marts.table("withdrawals", "ops").order_by("batch_id")),
        "changes": _records(changes.filter(_._batch == changes._batch.max()).order_by("table_name")),
        "rows": {f"{schema}.{name}": rows for (schema, name), rows in marts.counts(*SCHEMAS).items()},
        "tests": next(iter(_records(runs.order_by(_.started_at.desc()).limit(1))), None),
    }


def documentation(manifest: dict[str, Any], catalog: dict[str, Any]) -> dict[str, Any]:
    """How much of the warehouse has a description in dbt: relations, columns, and the names of those without one."""
    described = {**manifest["nodes"], **manifest["sources"]}
    relations, columns, missing = 0, 0, []
    for key, found in {**catalog["nodes"], **catalog["sources"]}.items():
        node = described[key]
        relations += 1
        columns += len(found["columns"])
        known = {name.lower(): column["description"].strip() for name, column in node["columns"].items()}
        missing += [] if node["description"].strip() else [node["name"]]
        missing += [f"{node['name']}.{name.lower()}" for name in found["columns"] if not known.get(name.lower())]
    percent = 100 * (1 - len(missing) / max(relations + columns, 1))
    return {"relations": relations, "columns": columns, "percent": round(percent, 1), "missing": missing}


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


def _batches(batches: list[dict[str, Any]], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for batch in batches:
        kept = found.setdefault(batch["batch_id"], {"id": batch["batch_id"], "as_of": batch["as_of"], "tables": {}})
        kept["tables"][batch["table_name"]] = batch["mode"]
    for entry in entries:
        kept = found[entry["batch_id"]]
        kept["loaded_at"] = entry["loaded_at"]
        for name in ("rows_read", "rows_loaded", "rows_rejected"):
            kept[name] = kept.get(name, 0) + entry[name]
    return list(found.values())


def _records(table: Any) -> list[dict[str, Any]]:
    frame = table.to_pandas()
    for name in frame.columns:
        if "datetime" in str(frame[name].dtype):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M:%S")
    return list(json.loads(frame.to_json(orient="records")))
