"""Puts the site together: each part comes from its own folder, and nothing in it loads anything from a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from expectations.connection import results_of
from ingest.schema import TABLES
from ingest.settings import Settings
from notebooks import marts
from notebooks import run as notebooks
from pipeline import runs
from pipeline.dbt import Dbt
from pipeline.site import columns
from pipeline.site.state import descriptions, state
from pipeline.templates import render
from profiles import engine, snowflake, warehouse_file
from profiles.environment import also
from profiles.errors import PipelineError

# In dbt's top bar, beside its logo, and under the lineage graph when that is open.
BACK = (
    '<a href="../index.html" style="position:fixed;left:170px;top:27px;z-index:2;padding:3px 12px;border-radius:14px;'
    'border:1px solid #b6bec6;color:#5f6b76;font:13px system-ui,sans-serif;text-decoration:none">← site</a></body>'
)
# What dbt's page asks a browser to load although it is not there: an icon that nobody built, and the addresses of
# icons before their names are filled in.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; script-src {}; '
    "style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'\">"
)
MENDED = (
    ("${require('./assets/favicons/favicon.ico')}", "data:,"),
    ('xlink:href="{{ getIcon(', 'ng-attr-href="{{ getIcon('),
    ("</body>", BACK),
)
Say = Callable[[str], None]


def build(out: Path, settings: Settings, say: Say) -> Path:
    """Rebuilds the site of the settings' target; returns its front page.

    Parameters: `out`, the folder, replaced as a whole; `say`, called with each thing done. Raises `PipelineError` when
    there is no warehouse, or a notebook fails.
    """
    target, prefix = settings.target, os.environ.get("MOVIELENS_SCHEMA_PREFIX", "").lower()
    work = settings.data_dir / "site"
    new = work / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with closing(marts.connect()) as opened:
        found = state(opened, target)
    say(f"state of the warehouse: {found['dataset']}, {len(found['batches'])} batches")
    _notebooks(settings.data_dir / "notebooks", found["built_at"], new / "notebooks", say)
    manifest, catalog = _dbt(new / "dbt", work / "dbt", settings)
    say("dbt docs")
    exposures = sorted(manifest["exposures"].values(), key=itemgetter("name"))
    found["data_docs"] = results_of(target).is_dir()
    found["notebooks"] = [{name: exposure[name] for name in ("name", "label", "description")} for exposure in exposures]
    if found["data_docs"]:
        from pipeline.site import data_docs  # seconds of imports

        data_docs.build(target, new / "data_docs")
        say("Data Docs")
    records = runs.read(settings.data_dir / "runs")
    shown = ("started_at", "job", "outcome", "seconds")
    found["runs"] = [{name: record[name] for name in shown} for record in records[:3]]
    lineage = columns.read(manifest, catalog, engine(target).dialect, prefix)
    made = sum(degree > 0 for _, degree in lineage.graph.in_degree)
    say(f"columns: what {made} of {len(lineage.graph)} are made of")
    files = {
        columns.Column(f"raw.{table.name}", column.name): (table.file, column.source)
        for table in TABLES.values()
        for column in table.columns
    }
    groups = groupby(found["rows"], key=lambda name: str(name).partition(".")[0])
    for name, content in {
        "index.html": render("site/index.html", state=found, groups=groups, relations=descriptions(manifest, prefix)),
        "columns.html": render("site/columns.html", columns=lineage, files=files),
        "runs.html": render("site/runs.html", runs=records[:100], slowest=runs.slowest(records)),
        "state.json": json.dumps(found, indent=1),
    }.items():
        (new / name).write_text(content, encoding="utf-8")
    _replace(out, new)
    return out / "index.html"


def _notebooks(pages: Path, built_at: str | None, folder: Path, say: Say) -> None:
    """The notebooks' pages, executed again where they are older than the warehouse or the notebook (times in UTC)."""
    built = datetime.fromisoformat(f"{built_at}Z").timestamp() if built_at else 0.0
    found = {path: pages / f"{path.stem}.html" for path in notebooks.notebooks()}
    if not all(
        page.exists() and page.stat().st_mtime > max(built + 1, path.stat().st_mtime) for path, page in found.items()
    ):
        say("executing the notebooks")
        notebooks.run(pages)
    folder.mkdir()
    for page in found.values():
        text = page.read_text(encoding="utf-8").replace("<!-- home -->", '<a href="../index.html">site</a>')
        (folder / page.name).write_text(text, encoding="utf-8")
    say(f"notebooks: {len(found)}")


def _dbt(folder: Path, work: Path, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Dbt's documentation as one page; returns its manifest and its catalogue.

    Dbt's own files stay in `work`, where the next run reads what it has parsed. Manifest and catalogue are put into the
    page's one script with each `<` escaped, so that no text of theirs can end it; the page's policy allows no other.
    """
    # On Snowflake as the notebooks, by the role that may read everything and no more.
    local, reporter = engine(settings.target).is_local, snowflake.role("reporter")
    with warehouse_file.for_dbt(settings.warehouse) if local else also(SNOWFLAKE_ROLE=reporter):
        Dbt(settings.target).docs(work)
    page = (work / "index.html").read_text(encoding="utf-8")
    for found, mended in MENDED:
        page = page.replace(found, mended)
    files = {name: (work / f"{name}.json").read_text(encoding="utf-8") for name in ("manifest", "catalog")}
    for name, text in files.items():
        shown = text.replace(f"{work}/", "target/").replace("<", "\\u003c")
        page = page.replace(f'"{name.upper()}.JSON INLINE DATA"', shown)
    script = page.partition('<script defer="defer">')[2].partition("</script>")[0].encode()
    allowed = f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
    page = page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{POLICY.format(allowed)}', 1)
    folder.mkdir()
    (folder / "index.html").write_text(page, encoding="utf-8")
    return json.loads(files["manifest"]), json.loads(files["catalog"])


def _replace(out: Path, new: Path) -> None:
    """Puts the new site in the place of the old one, if that is a site."""
    if out.exists() and any(out.iterdir()) and not (out / "state.json").exists():
        raise PipelineError(f"{out} is not empty and holds no site: name another folder, or delete it.")
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(new, out)
