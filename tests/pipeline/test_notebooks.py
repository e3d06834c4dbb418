"""The notebooks run on a release that has nothing but movies and ratings; `test_site` runs them on the sample."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="the notebooks' packages are not installed")

import nbformat
import yaml

from notebooks import marts, run
from pipeline.dbt import PROJECT
from profiles.errors import PipelineError
from tests.pipeline.harness import Batch, Lab, MeasuringDbt


@pytest.fixture(scope="module")
def bare(new_lab: Callable[[str], Lab]) -> Lab:
    """A warehouse of one batch with two movies, one more that only ratings name, and neither tags, links nor genome."""
    lab = new_lab("bare")
    rows = {
        "movies": [(1, "Toy Story (1995)", "Animation|Comedy"), (2, "Nobody's", "(no genres listed)")],
        "ratings": [(1, 1, 4.0, 964982703), (2, 1, 3.5, 964982703), (2, 2, 0.5, 1537799250)]
        + [(user, 9, 4.5, 1537799250) for user in (1, 2, 3)],
    }
    lab.land("bare", Batch(datetime(2018, 9, 26, tzinfo=UTC), rows))
    lab.apply("bare", dbt=MeasuringDbt("dev"))
    return lab


def test_every_notebook_runs_on_a_release_without_tags_and_genome(bare: Lab, tmp_path: Path) -> None:
    with bare.environment():
        run.run(tmp_path)
    assert sorted(page.stem for page in tmp_path.iterdir()) == [path.stem for path in run.notebooks()]
    assert "movie 9 (not listed): how its 3 ratings fall" in (tmp_path / "01_tour_of_the_star.html").read_text()
    assert "bare does not say who its users are" in (tmp_path / "01_tour_of_the_star.html").read_text()
    assert "neither tags nor genome" in (tmp_path / "03_taste_tags_and_genome.html").read_text()


def test_a_failing_cell_is_named_with_its_notebook_and_its_error(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_markdown_cell("# Broken"), nbformat.v4.new_code_cell("1 / 0")]
    path = tmp_path / "09_broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(PipelineError, match=r"09_broken\.ipynb, cell 2 of 2: ZeroDivisionError: division by zero"):
        run.execute(path, tmp_path)


def test_a_killed_kernel_is_explained_with_the_cell_that_it_ran(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_markdown_cell("# Broken"), nbformat.v4.new_code_cell("import os; os.kill(os.getpid(), 9)")]
    path = tmp_path / "09_killed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(PipelineError, match=r"^09_killed\.ipynb, cell 2 of 2: its Python was killed: [^\n]+$"):
        run.execute(path, tmp_path)


def test_every_character_can_be_drawn_in_a_chart_a_table_and_a_sentence() -> None:
    """In a process of its own, which the chart library ends over what it cannot bear."""
    draw = """
import xml.etree.ElementTree as tree, altair as alt, pandas as pd
from notebooks import charts
# on both sides of each border between what can be drawn and what is written out
borders = 32, 128, 160, 0x61C, 0x200E, 0x2028, 0x2066, 0xD800, 0xDC00, 0xE000, 0xFDD0, 0xFDF0, 0xFFFE, 0x1FFFE, 0x10FFE0
text = "".join(map(chr, (code for border in borders for code in range(border - 32, border + 32))))
chart = alt.Chart(alt.Data(values=[{"x": 1, "y": text}])).mark_bar().encode(x="x:Q", y="y:N").properties(title=text)
tree.fromstring(chart._repr_mimebundle_()["image/svg+xml"])
for page in (charts.table(pd.DataFrame({"text": [text]}, dtype=object))._repr_html_(), charts.note("<b>{}</b>", text).data):
    assert "&lt;&gt;" not in page and "&lt;=&gt;" in page and chr(0xFFFE) not in page
    page.encode()
"""
    subprocess.run([sys.executable, "-c", draw], cwd=marts.ROOT, check=True)


def test_only_html_that_a_cell_asks_for_is_markup_on_a_page() -> None:
    bundle = {"text/markdown": "**<b id=planted>**", "text/plain": "<b id=planted>"}
    results = [nbformat.v4.new_output("display_data", {kind: text}) for kind, text in bundle.items()]
    printed = nbformat.v4.new_output("stream", text="<b id=planted>")
    cells = [nbformat.v4.new_code_cell("<b id=planted>", outputs=[*results, printed])]
    page = run.render(nbformat.v4.new_notebook(cells=cells), run.notebooks()[0])
    assert page.count("&lt;b id=planted&gt;") == 3
    assert "<b id=planted>" not in page


def test_no_warehouse_is_one_line_and_a_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "notebooks"]
    environment = {**os.environ, "MOVIELENS_DATA_DIR": str(tmp_path)}
    refused = subprocess.run(command, cwd=marts.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert re.fullmatch(r"error: there is no warehouse at .*: run `nox -s dev` first\.\n", refused.stderr)


def test_the_committed_notebooks_hold_no_outputs_and_no_machine_path() -> None:
    assert run.notebooks()
    for path in run.notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name
            assert str(marts.ROOT) not in cell.source


def test_each_notebook_is_an_exposure_of_just_the_tables_that_it_opens() -> None:
    marts_of = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}
    declared = {
        exposure["name"]: (exposure["label"], set(exposure["depends_on"]))
        for exposure in yaml.safe_load((PROJECT / "models" / "exposures.yml").read_text())["exposures"]
    }
    found = {}
    for path in run.notebooks():
        code = "".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
        opened = re.findall(r'db\.table\("(\w+)"(?:, (?:schema=)?"(\w+)")?\)', code)
        assert len(opened) == code.count("db.table("), f"{path.name}: a table's name is no constant"
        opened += [(name, "") for name in marts_of if 'counts("marts")' in code]
        tables = {f"source('{at}', '{name}')" if at in ("raw", "ops") else f"ref('{name}')" for name, at in opened}
        found[path.stem] = (run.heading(path), tables)
    assert declared == found


def test_no_notebook_fetches_a_fact() -> None:
    """What comes out of an expression over a fact is aggregated or limited: the engine computes."""
    for path in run.notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            assert not re.search(r'table\("fact_\w+"\)\.to_pandas', cell.source), f"{path.name}: {cell.source}"
