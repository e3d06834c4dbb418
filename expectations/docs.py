"""Data Docs that read well without a network and without scripts.

GX's pages load styles, scripts, fonts and a logo from elsewhere, and its front page is drawn by one of those
scripts. Here the content of each page is put into a template of our own, and so is the front page.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from expectations.connection import results_of
from expectations.judge import context
from ingest.text import visible

_TEMPLATE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
).get_template("docs.html.j2")
_SITE = "local_site"
_LEFT_OUT = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<footer\b.*?</footer>|<nav class=\"navbar.*?</nav>\s*</div>\s*</nav>"
    r"|<link\b[^>]*>|<img\b[^>]*>| onclick=\"[^\"]*\"",
    re.S,
)


def build(target: str) -> Path:
    """Builds the pages of what the gate of a target found last; returns the front page."""
    home, title = results_of(target), f"Data quality on {target}"
    results = context(home)
    with contextlib.redirect_stdout(io.StringIO()):
        results.build_data_docs(site_names=[_SITE])
    site, folder = home / "uncommitted" / "data_docs" / _SITE, home.with_name("docs") / target
    shutil.rmtree(site / "static", ignore_errors=True)
    for path in site.rglob("*.html"):
        body = path.read_text(encoding="utf-8").partition("<body>")[2].rpartition("</body>")[0]
        content = Markup(visible(_LEFT_OUT.sub("", body)))  # noqa: S704 - escaped by GX, and no script may run
        front = "../" * (len(path.relative_to(site).parts) - 1) + "index.html"
        path.write_text(_TEMPLATE.render(title=title, content=content, front=front), encoding="utf-8")
    pages = sorted(_pages(results), key=lambda page: (-page["failed"], -page["warned"], page["name"]))
    (site / "index.html").write_text(_TEMPLATE.render(title=title, pages=pages), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return site.rename(folder) / "index.html"


def _pages(results: Any) -> Iterator[dict[str, Any]]:
    """A line of the front page for each suite: its pages, and how many of its checks failed or warned."""
    store = results.validation_results_store
    for key in store.list_keys():
        name, found = key.expectation_suite_identifier.name, store.get(key).results
        missed = Counter(result.expectation_config.severity for result in found if not result.success)
        yield {
            "name": name,
            "link": quote("/".join(("validations", *key.to_tuple())) + ".html"),
            "why": f"expectations/{quote(name.replace('.', '/'))}.html",
            "evaluated": len(found),
            "failed": missed["critical"],
            "warned": missed["warning"],
        }
