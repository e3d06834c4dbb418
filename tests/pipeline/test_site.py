"""The site works from a folder, without network: links resolve, nothing is fetched, pages are quiet, lineage draws.

Every text that its warehouse holds is hostile: script, markup, control characters. Nothing of it acts, all is shown.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("nbclient", reason="the notebooks' packages are not installed")

import duckdb
import requests
from typer.testing import CliRunner

from ingest.schema import TABLES
from ingest.sources.sample.generate import generate
from ingest.text import visible
from pipeline.__main__ import app
from pipeline.site.build import build
from pipeline.site.serve import SiteServer
from profiles.errors import PipelineError
from tests.pipeline.harness import Lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
LOADED = {"src", "srcset", "data", "poster"}  # attributes that make a browser fetch something, beside <link href>
RUN = "console.log('planted')"
ACTIVE = (
    f"""</script><script>{RUN}</script><svg onload="{RUN}">'"><img src=x onerror="{RUN}"><a href="javascript:{RUN}">"""
)
PLANTED = f"\x1b[31m\u202e\ufffe {ACTIVE} {{{{7*7}}}} [a](javascript:{RUN}) ![b](http://127.0.0.1:9/)"
NOTEBOOKS = (
    "01_tour_of_the_star",
    "03_taste_tags_and_genome",
    "04_history_and_time_travel",
    "05_data_quality_and_ledger",
)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff]")
KEYS = ("mode", "change", "table_name")  # compared with constants, or cast, and never from a file
PROBE = """<iframe id="page" src="dbt/index.html#!/overview?g_v=1" width="1200" height="800"></iframe><p id="found"></p>
<script>
setInterval(() => {
  const colours = new Set();
  for (const canvas of page.contentDocument.querySelectorAll("canvas")) {
    if (!canvas.width) continue;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3]) colours.add(pixels.slice(i, i + 3).join());
  }
  found.textContent = "colours: " + colours.size;
}, 500);
</script>"""


class Page(HTMLParser):
    """What a page links to, what it loads, what in it would run, and what it says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.runs: list[str] = []
        self.names: set[str] = set()
        self.text, self.policy = "", ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "base", "form"):
            self.runs.append(tag)
        if ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"] or ""
        for name, value in attributes:
            if name.startswith("on") or (value and re.match(r"\s*(javascript|vbscript|data:text)", value, re.I)):
                self.runs.append(f"{tag} {name}={value}")
            if name in ("id", "name") and value:
                self.names.add(value)
            elif value and (
                name in LOADED or (tag == "link" and name == "href" and ("rel", "canonical") not in attributes)
            ):
                self.loads.append(value)
            elif value and name == "href":
                self.links.append(value)


@pytest.fixture(scope="module")
def site_lab(new_lab: Callable[[str], Lab]) -> Lab:
    """The laboratory of the site."""
    return new_lab("site #1 of $payroll")


@pytest.fixture(scope="module")
def site(site_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small sample with its genome, after its gates, with hostile text wherever there can be text."""
    lab = site_lab
    source = tmp_path_factory.mktemp("sample")
    generate(source, ratings=3000)
    for file, column in (("movies.csv", "title"), ("movies.csv", "genres"), ("tags.csv", "tag")):
        plant_in_file(source / file, column)
    with open(source / "ratings.csv", "a", encoding="utf-8") as file:
        file.write(f"1,1,{PLANTED},1\n" * 9)
    with lab.environment():
        done = CliRunner().invoke(
            app, ["dev", "site", "--source", str(source), "--max-rejected", "1", "--accept", "000001"]
        )
        assert done.exit_code == 0, done.output
        assert "\\x1b[31m\\u202e" in done.output
        assert not UNSEEN.search(done.output)
    plant_in_warehouse(lab.settings.warehouse)
    with lab.environment():
        front = build(tmp_path_factory.mktemp("site") / "site", lab.settings, print)
    return front.parent


def plant_in_file(path: Path, column: str) -> None:
    """Every twentieth value of a column has hostile text behind it; and movies that were rated before their release."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::20]:
        row[column] += f"{PLANTED} (2030)" if column == "title" else PLANTED
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def plant_in_warehouse(path: Path) -> None:
    """Every text of every table has hostile text behind it: equal texts stay equal, so that joins still find them."""
    with duckdb.connect(str(path)) as connection:
        texts = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "semi join information_schema.tables on columns.table_name = tables.table_name "
            "and columns.table_schema = tables.table_schema and table_type = 'BASE TABLE' "
            "where data_type = 'VARCHAR' and columns.table_schema <> 'ops'"
        ).fetchall()
        for schema, table, column in texts:
            if column not in KEYS:
                connection.execute(f"update {schema}.{table} set {column} = {column} || ?", [PLANTED])
    assert {"title", "genres", "tag", "raw_line", "reason", "batch_id", "dataset", "file"} <= {
        name for *_, name in texts
    }


def pages(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) >= 15  # the front page, five notebooks, dbt's, and those of Great Expectations
    return found


def test_every_internal_link_resolves(site: Path) -> None:
    broken = []
    for path in pages(site):
        page = Page(path)
        for link in page.links:
            target, _, fragment = link.partition("#")
            if re.match(r"[a-z]+:", target) or target.startswith("/"):
                continue
            file = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            names = page.names if file == path else set()
            if not file.is_file() or (fragment and file == path and "!" not in fragment and fragment not in names):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert [link for link in broken if not link.startswith("dbt/")] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for path in pages(site):
        assert [load for load in Page(path).loads if not load.startswith("data:")] == [], path.name
        if path.parent.name != "dbt":  # dbt's page is one script, which the browser's test watches
            assert not re.search(r"@import|url\(\s*['\"]?(?!data:|#)", path.read_text()), path.name


def test_no_page_names_a_folder_of_this_machine(site: Path) -> None:
    for path in [*pages(site), site / "state.json"]:
        assert str(site.parents[1]) not in path.read_text(), path.name


def test_every_model_and_every_column_is_described(site_lab: Lab, site: Path) -> None:
    folder = site_lab.settings.data_dir / "site" / "dbt"
    manifest, catalog = (json.loads((folder / f"{name}.json").read_text()) for name in ("manifest", "catalog"))
    described, missing, columns = manifest["nodes"] | manifest["sources"], [], 0
    relations = catalog["nodes"] | catalog["sources"]
    for key, found in relations.items():
        node, columns = described[key], columns + len(found["columns"])
        known = {name.lower(): column["description"].strip() for name, column in node["columns"].items()}
        missing += [] if node["description"].strip() else [node["name"]]
        missing += [f"{node['name']}.{name.lower()}" for name in found["columns"] if not known.get(name.lower())]
    assert missing == []
    assert len(relations) > 30
    assert columns > 150


def test_the_front_page_tells_the_state_of_the_warehouse(site: Path) -> None:
    page, told = (site / "index.html").read_text(), json.loads((site / "state.json").read_text())
    assert told["dataset"].startswith("site")
    assert told["rows"]["marts.fact_ratings"] > 2900
    assert f"{told['rows']['marts.fact_ratings']:,}" in page
    assert "adds up" in page
    assert all(f"marts.{name}" in told["rows"] for name in ("dim_movies", "fact_genome_scores", "user_activity"))


def test_the_columns_page_leads_from_a_file_to_the_marts_and_back(site: Path) -> None:
    page = (site / "columns.html").read_text()
    assert "Not read" not in page
    genres = page.partition('id="raw.movies.genres"')[2].partition("</details>")[0]
    assert re.search(r"<code>marts\.genre_ratings_by_month</code>: genre, genre_id\b", genres)
    assert "marts.fact_ratings" not in genres
    assert re.search(r"decides rows of [^<]*marts\.bridge_movie_genres", genres)
    assert re.search(
        r'<code>release_year</code></td><td><a href="#raw\.movies\.title">movies\.csv: title</a></td>', page
    )
    assert page.count('<details id="raw.') == sum(len(table.columns) for table in TABLES.values())


def test_nothing_that_the_data_holds_is_markup_on_any_page(site: Path) -> None:
    for path in pages(site):
        assert Page(path).runs == (["script"] if path.parent.name == "dbt" else []), path.name


def test_hostile_text_is_shown_as_it_is_and_what_cannot_be_seen_is_written_out(site: Path) -> None:
    shown = ["index.html", *(f"notebooks/{name}.html" for name in NOTEBOOKS)]
    for name in shown:
        assert visible(PLANTED)[:16] in Page(site / name).text, name
    findings = "".join(Page(path).text for path in (site / "data_docs").rglob("*.html"))
    assert "profile_movies" in findings and ACTIVE not in findings, "numbers alone, no text of the data"
    for path in pages(site):
        if path.parent.name != "dbt":  # its script holds some of its own
            assert not UNSEEN.search(path.read_text()), path.name


def test_every_page_forbids_script_that_is_not_its_own(site: Path) -> None:
    for path in pages(site):
        policy = dict(part.split(maxsplit=1) for part in Page(path).policy.split("; "))
        assert policy["default-src"] == "'none'", path.name
        own = r"'sha256-[\w+/]+='" if path.parent.name == "dbt" else "'none'"
        assert re.fullmatch(own, policy.get("script-src", "'none'")), path.name


def test_a_folder_that_is_no_site_is_not_replaced(site: Path, tmp_path: Path) -> None:
    from pipeline.site.build import _replace

    (tmp_path / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(PipelineError, match="is not empty and holds no site"):
        _replace(tmp_path, site)
    assert (tmp_path / "thesis.txt").exists()


def browse(address: str, profile: Path) -> tuple[str, list[str]]:
    """The page that a browser without network makes of an address, and what it says on its console."""
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr",
        "--virtual-time-budget=15000", "--dump-dom", address,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def browse_all(paths: list[Path], folder: Path) -> list[str]:
    """What the console says when all pages are open, each in a frame of one page."""
    frames = "".join(
        f'<iframe src="{path.as_uri()}" onload="loaded++; document.title = loaded"></iframe>' for path in paths
    )
    (folder / "frames.html").write_text(f"<script>let loaded = 0</script>{frames}")
    page, console = browse((folder / "frames.html").as_uri(), folder)
    assert f"<title>{len(paths)}</title>" in page
    return console


@pytest.mark.skipif(BROWSER is None, reason=f"no browser on this machine ({', '.join(BROWSERS)})")
class TestInABrowser:
    def test_every_page_opens_from_its_file_without_a_word_on_the_console(self, site: Path, tmp_path: Path) -> None:
        assert browse_all(pages(site), tmp_path) == []

    def test_script_that_got_into_a_page_all_the_same_does_not_run(self, site: Path, tmp_path: Path) -> None:
        (tmp_path / "unprotected.html").write_text(f"<body>{ACTIVE}")
        assert [line for line in browse_all([tmp_path / "unprotected.html"], tmp_path) if '"planted"' in line]
        copies = []
        for number, path in enumerate(pages(site)):
            copies.append(tmp_path / f"{number}.html")
            copies[-1].write_text(path.read_text().replace("<body>", f"<body>{ACTIVE}", 1))
        console = browse_all(copies, tmp_path)
        assert len([line for line in console if "Content Security Policy" in line]) >= len(copies)
        assert not [line for line in console if '"planted"' in line]

    def test_the_lineage_graph_draws(self, site: Path, tmp_path: Path) -> None:
        (site / "probe.html").write_text(PROBE)
        with SiteServer(site) as serving:
            threading.Thread(target=serving.serve_forever, daemon=True).start()
            page, console = browse(f"{serving.address}probe.html", tmp_path)
            serving.shutdown()
        (site / "probe.html").unlink()
        assert [line for line in console if "willReadFrequently" not in line] == []
        assert int(re.search(r"colours: (\d+)", page)[1]) > 20


def test_the_served_site_is_below_a_path_that_nobody_can_guess(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("the site")
    with SiteServer(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        assert requests.get(f"{serving.address}index.html", timeout=10).text == "the site"
        secret = serving.address.split("/")[3]
        assert len(secret) > 40
        for path in ("", "index.html", secret, f"x{secret}/index.html", f"{secret[:-1]}/index.html", "//index.html"):
            refused = requests.get(f"http://127.0.0.1:{serving.server_port}/{path}", timeout=10)
            assert (refused.status_code, "the site" in refused.text) == (404, False), path
        serving.shutdown()
