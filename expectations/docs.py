"""Data Docs that read well without a network and without scripts.

GX's pages load styles, scripts, fonts and a logo from elsewhere, and its front page is drawn by one of those
scripts. Here each page keeps GX's content and gets one inlined style sheet; the front page is written anew.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from expectations.judge import context
from ingest.text import visible

_SITE = "local_site"
_STYLE = Path(__file__).with_name("docs.css").read_text(encoding="utf-8")
_POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
_SCRIPTED = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<footer\b.*?</footer>|<nav class=\"navbar.*?</nav>\s*</div>\s*</nav>",
    re.S,
)
_LOADED = re.compile(r"<link\b[^>]*>|<img\b[^>]*>", re.S)


@dataclass(frozen=True)
class Page:
    """A line of the front page: a suite's page and how many of its expectations failed or warned."""

    name: str
    link: str
    evaluated: int
    failed: int
    warned: int


def plain(html: str, home: str) -> str:
    """A page of GX without scripts, styles and pictures, in one file; `home` is the way to the front page."""
    html = visible(re.sub(r' onclick="[^"]*"', "", _LOADED.sub("", _SCRIPTED.sub("", html))))
    head = f'{_POLICY}<style>{_STYLE}</style></head><body><p><a href="{home}">All relations</a></p>'
    return re.sub(r"</head>.*?<body>", lambda _: head, html, count=1, flags=re.S)


def build(home: Path, folder: Path, title: str) -> Path:
    """Builds the pages of the results in `home` into `folder`, replacing what is there; returns the front page."""
    results = context(home)
    with contextlib.redirect_stdout(io.StringIO()):
        results.build_data_docs(site_names=[_SITE])
    site = home / "uncommitted" / "data_docs" / _SITE
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for page in sorted(site.rglob("*.html")):
        path = page.relative_to(site)
        target = draft / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            plain(page.read_text(encoding="utf-8"), "../" * (len(path.parts) - 1) + "index.html"), encoding="utf-8"
        )
    (draft / "index.html").write_text(_front(title, sorted(_pages(results), key=_gravest_first)), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return folder / "index.html"


def _gravest_first(page: Page) -> tuple[int, int, str]:
    return -page.failed, -page.warned, page.name


def _pages(results: Any) -> Iterator[Page]:
    store = results.validation_results_store
    for key in store.list_keys():
        found = store.get(key).results
        missed = [result.expectation_config.severity for result in found if not result.success]
        link = "/".join(("validations", *key.to_tuple())) + ".html"
        yield Page(
            key.expectation_suite_identifier.name,
            quote(link),
            len(found),
            missed.count("critical"),
            missed.count("warning"),
        )


def _front(title: str, pages: list[Page]) -> str:
    rows = "".join(
        f'<tr><td><span class="{_word(page)}">{_word(page)}</span></td><td><a href="{page.link}">{escape(page.name)}</a> <a href="expectations/{quote(page.name.replace(".", "/"))}.html">why</a></td>'
        f'<td class="count">{page.evaluated}</td><td class="count">{page.failed}</td><td class="count">{page.warned}</td></tr>'
        for page in pages
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{_POLICY}<style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>What was expected of each batch and relation, why, and what was observed.</p>"
        "<table><thead><tr><th>outcome</th><th>relation</th><th>expectations</th><th>failed</th><th>warned</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>"
    )


def _word(page: Page) -> str:
    return "failed" if page.failed else "warned" if page.warned else "passed"
