"""The site works from a folder, without network: links resolve, nothing is fetched, pages are quiet, lineage draws."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("nbclient", reason="the notebooks' packages are not installed")

from ingest.sources.sample import generate
from ingest.store.bucket import Store
from pipeline.errors import PipelineError
from pipeline.site import state
from pipeline.site.__main__ import server
from pipeline.site.build import build
from tests.conftest import settings_in
from tests.pipeline.harness import Lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
LOADED = {"src", "srcset", "data", "poster"}  # attributes that make a browser fetch something, beside <link href>
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
    """What a page links to and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.names.add(value)
            elif value and (
                name in LOADED or (tag == "link" and name == "href" and ("rel", "canonical") not in attributes)
            ):
                self.loads.append(value)
            elif value and name == "href":
                self.links.append(value)


@pytest.fixture(scope="module")
def site(embedded_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small sample with its genome."""
    lab = Lab(embedded_store, settings_in(tmp_path_factory.mktemp("site-data")))
    source = tmp_path_factory.mktemp("sample")
    generate(source, ratings=3000)
    lab.land_archive("sample", source)
    lab.apply("sample")
    with lab.environment():
        front = build(tmp_path_factory.mktemp("site") / "site", "dev", print)
    return front.parent


def pages(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) >= 7
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


def test_every_model_and_every_column_is_described(site: Path) -> None:
    documentation = json.loads((site / "state.json").read_text())["documentation"]
    assert documentation["missing"] == []
    assert documentation["relations"] > 30
    assert documentation["columns"] > 150


def test_the_front_page_tells_the_state_of_the_warehouse(site: Path) -> None:
    page, told = (site / "index.html").read_text(), json.loads((site / "state.json").read_text())
    assert told["dataset"] == "sample"
    assert told["rows"]["marts.fact_ratings"] > 2900
    assert f"{told['rows']['marts.fact_ratings']:,}" in page
    assert "adds up" in page
    assert all(f"marts.{name}" in told["rows"] for name in ("dim_movies", "fact_genome_scores", "user_activity"))


def test_results_of_another_warehouse_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {
        "metadata": {"generated_at": "2026-01-01T12:00:00.5Z"},
        "args": {"which": "build"},
        "results": [{"unique_id": "test.a", "status": "pass"}, {"unique_id": "model.a", "status": "success"}],
    }
    (tmp_path / "run_results.json").write_text(json.dumps(results))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    own = state.tests("dev", "2026-01-01 11:59:00", "2026-01-01 12:01:00")
    assert own == {"at": "2026-01-01 12:00:00", "passed": 1, "warned": 0, "failed": 0}
    assert state.tests("dev", "2026-01-01 12:00:30", "2026-01-01 12:01:00") is None
    assert state.tests("dev", "2026-01-01 11:00:00", "2026-01-01 11:01:00") is None


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


@pytest.mark.skipif(BROWSER is None, reason=f"no browser on this machine ({', '.join(BROWSERS)})")
class TestInABrowser:
    def test_every_page_opens_from_its_file_without_a_word_on_the_console(self, site: Path, tmp_path: Path) -> None:
        for path in pages(site):
            page, console = browse(path.as_uri(), tmp_path)
            assert console == [], path.name
            assert "</body>" in page

    def test_the_lineage_graph_draws(self, site: Path, tmp_path: Path) -> None:
        (site / "probe.html").write_text(PROBE)
        with server(site, 0) as serving:
            threading.Thread(target=serving.serve_forever, daemon=True).start()
            page, console = browse(f"http://127.0.0.1:{serving.server_port}/probe.html", tmp_path)
            serving.shutdown()
        (site / "probe.html").unlink()
        assert [line for line in console if "willReadFrequently" not in line] == []
        assert int(re.search(r"colours: (\d+)", page)[1]) > 20
