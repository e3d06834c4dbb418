"""Data Docs that read well without a network and without scripts.

GX's pages load styles, scripts, fonts and a logo from elsewhere, and its front page is drawn by one of those
scripts. Here the content of each page is put into the site's template, and so is the front page.
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

from markupsafe import Markup

from expectations.connection import results_of
from expectations.judge import context
from ingest.text import visible
from pipeline.templates import render

_SITE = "local_site"
_LEFT_OUT = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<footer\b.*?</footer>|<nav class=\"navbar.*?</nav>\s*</div>\s*</nav>"
    r"|<link\b[^>]*>|<img\b[^>]*>| onclick=\"[^\"]*\"",
    re.S,
)


def build(target: str, folder: Path) -> None:
    """Makes a folder of the pages of what the gate of a target found last."""
    home = results_of(target)
    results = context(home)
    with contextlib.redirect_stdout(io.StringIO()):
        results.build_data_docs(site_names=[_SITE])
    site = home / "uncommitted" / "data_docs" / _SITE
    shutil.rmtree(site / "static", ignore_errors=True)
    for path in site.rglob("*.html"):
        body = path.read_text(encoding="utf-8").partition("<body>")[2].rpartition("</body>")[0]
        content = Markup(visible(_LEFT_OUT.sub("", body)))  # noqa: S704 - escaped by GX, and no script may run
        up = "../" * (len(path.relative_to(site).parts) - 1)
        path.write_text(_page(target, up, content=content), encoding="utf-8")
    pages = sorted(_pages(results), key=lambda page: (-page["failed"], -page["warned"], page["name"]))
    (site / "index.html").write_text(_page(target, "../", pages=pages), encoding="utf-8")
    shutil.move(site, folder)


def _page(target: str, up: str, **shown: Any) -> str:
    return render("site/data_docs.html", target=target, up=up, **{"content": "", "pages": (), **shown})


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
