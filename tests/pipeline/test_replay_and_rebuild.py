"""A warehouse is disposable: what it holds depends on the landed batches alone, not on how it lived through them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import duckdb

from ingest.sources.sample.generate import generate
from pipeline.runs import read
from tests.pipeline.generated import START, deltas, mixed
from tests.pipeline.harness import Batch, Lab, Run
from tests.pipeline.oracle import Oracle, assert_as_told
from tests.pipeline.relations import difference


def test_a_warehouse_that_lived_equals_its_replay_and_its_full_refresh(lab: Lab, seed: int) -> None:
    batches, oracle, dataset = mixed(Random(f"mixed {seed}")), Oracle(), lab.new_dataset()
    for batch in batches:
        lab.manifest(dataset, batch)
        oracle.take(batch)
        lab.apply(dataset)
        assert_as_told(lab.warehouse, oracle)
    lived, history = lab.marts(), lab.history()

    lab.full_refresh()
    assert lab.marts() == lived, difference(lab.marts(), lived)
    assert lab.history() == history, difference(lab.history(), history)

    lab.delete_warehouse()
    lab.apply(dataset)
    assert lab.marts() == lived, difference(lab.marts(), lived)
    assert lab.history() == history, difference(lab.history(), history)


def test_a_warehouse_of_an_earlier_version_is_built_anew_from_the_landed_batches(lab: Lab, run: Run) -> None:
    dataset = lab.new_dataset()
    for number, batch in enumerate(deltas(Random("earlier"), 2)):
        lab.manifest(dataset, Batch(START + timedelta(days=number), batch.rows, batch.modes if number else {}))
    lab.apply(dataset)
    marts, history = lab.marts(), lab.history()
    with duckdb.connect(str(lab.settings.warehouse)) as connection:  # as version 1 left it
        connection.execute("drop table raw.files; alter table raw.ratings rename _batch to _batch_id")
        connection.execute("alter table raw.batches drop _batch; delete from marts.fact_ratings")

    upgraded = run("dev", "--no-land")
    assert upgraded.exit_code == 0, upgraded.output
    assert "an earlier version's warehouse is rebuilt" in upgraded.output
    assert (lab.marts(), lab.history()) == (marts, history)


def test_a_replay_keeps_of_each_publication_what_was_built_for_it_and_no_more(
    lab: Lab, run: Run, tmp_path: Path
) -> None:
    generate(tmp_path / "sample", ratings=1000)
    done = run("replay", lab.new_dataset(), "--source", tmp_path / "sample", "--batches", 2)
    assert done.exit_code == 0, done.output
    published = [record for record in read(lab.settings.data_dir / "runs") if record["outcome"] == "published"][:3]
    kept = dict(lab.rows("select run_id, count(*) from ops.run_nodes group by run_id"))
    assert kept == {record["id"]: len(record["nodes"]) for record in published}
    assert lab.rows("select batches from ops.runs order by started_at") == [("000001",), ("000002",), ("000003",)]
    assert [record["job"] for record in published] == ["replay"] * 3


def test_a_replay_rejects_of_the_whole_what_a_landing_rejects_and_no_more(lab: Lab, run: Run, tmp_path: Path) -> None:
    generate(tmp_path, ratings=1000)
    ratings = tmp_path / "ratings.csv"
    newest = max(int(line.rpartition(",")[2]) for line in ratings.read_text().splitlines()[1:])
    with ratings.open("a") as file:
        file.write(f"1,1,9.5,{newest}\n")
    for _ in range(2):  # one line of a thousand, among the few of the last piece; then two
        done = run("replay", lab.new_name(), "--source", tmp_path, "--batches", 3)
        if done.exit_code:
            break
        assert lab.rows("select count(*) from raw.rejected_rows") == [(1,)], done.output
        lab.delete_warehouse()
        with ratings.open("a") as file:
            file.write(f"1,2,9.5,{newest}\n")
    assert "2 of 1,002 rows (0.20%) cannot be loaded" in done.output, "and the whole file's, with its lines"
    assert "ratings.csv:1002: rating '9.5'" in done.output


def test_a_replay_takes_every_line_that_a_landing_takes(lab: Lab, run: Run, tmp_path: Path) -> None:
    generate(tmp_path, ratings=1000)
    with (tmp_path / "ratings.csv").open("ab") as file:
        file.write(b"1,1,3.0,99999999999999\n1,2,3.\xff,1000000000\n1,3,4.0,1893456000")  # no time; no text; 2030
    with (tmp_path / "tags.csv").open("ab") as file:
        file.write("1,1,a\x01b,1577000000\n1,1,caf\xe9,1577000000\n".encode())
    lines = sum(len((tmp_path / name).read_bytes().splitlines()) - 1 for name in ("ratings.csv", "tags.csv"))
    done = run("replay", lab.new_name(), "--source", tmp_path, "--batches", 2, "--max-rejected", 0.01)
    assert done.exit_code == 0, done.output
    rejected = lab.rows("select raw_line from raw.rejected_rows order by 1")
    assert rejected == [("1,1,3.0,99999999999999",), ("1,2,3.\\xff,1000000000",)]
    loaded = "select count(*) from (select user_id from raw.ratings union all select user_id from raw.tags) as loaded"
    assert lab.rows(loaded) == [(lines - 2,)]
    assert lab.rows("select count(*) from raw.ratings where timestamp = 1893456000 and _batch = 3") == [(1,)]
    assert lab.rows("select count(*) from raw.tags where tag in ('a\x01b', 'caf\xe9')") == [(2,)]

    (tmp_path / "links.csv").unlink()  # another source, cut into as many batches
    other = run(
        "replay",
        lab.rows("select max(dataset) from raw.batches")[0][0],
        "--source",
        tmp_path,
        "--batches",
        2,
        "--max-rejected",
        0.01,
    )
    assert (other.exit_code, "that are not of this replay" in other.output) == (1, True)


def test_a_replay_whose_first_load_would_lack_a_table_says_so(lab: Lab, run: Run, tmp_path: Path) -> None:
    generate(tmp_path, ratings=1000)
    tags = "".join(f"1,1,tag {number},1\n" for number in range(12_000))
    (tmp_path / "tags.csv").write_text(f"userId,movieId,tag,timestamp\n{tags}")
    done = run("replay", lab.new_name(), "--source", tmp_path, "--batches", 2)
    assert (done.exit_code, "none of its first 11,700 events is in ratings.csv" in done.output) == (1, True)


def test_a_rebuild_replaces_a_warehouse_of_the_same_project_only_with_its_equal(lab: Lab, run: Run) -> None:
    dataset, warehouse = lab.new_dataset(), lab.settings.warehouse
    rating = (1, 1, "4.0", 1_000_000_000)
    lab.manifest(dataset, Batch(START, {"movies": [(1, "One (2001)", "Drama")], "ratings": [rating]}))
    lab.manifest(dataset, Batch(START + timedelta(days=1), {"movies": [(1, "1 (2001)", "Drama")]}, {"movies": "delta"}))
    lab.apply(dataset)
    lived, file = lab.marts(), warehouse.stat().st_ino

    rebuilt = run("dev", "--rebuild")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert warehouse.stat().st_ino != file
    assert lab.marts() == lived
    again = run("dev", "--no-land")  # what stands in it can be read and told of, views included
    assert again.exit_code == 0, again.output
    assert "0 rows changed" in again.output

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.fact_ratings set rating = 0.5")
    file = warehouse.stat().st_ino
    refused = run("dev", "--rebuild")
    assert refused.exit_code == 1
    assert "marts.fact_ratings differs" in refused.output
    assert warehouse.stat().st_ino == file

    with duckdb.connect(str(warehouse)) as connection:  # as if an earlier dbt project had made it
        connection.execute("update ops.builds set project_version = 'earlier'")
    newest = f"{dataset}/000002/manifest.json"
    manifest = lab.store.get(newest)
    assert manifest
    lab.store.delete(newest)
    incomplete = run("dev", "--rebuild")
    assert incomplete.exit_code == 1
    assert f"{newest} at " in incomplete.output and "is missing: it was deleted after its commit" in incomplete.output
    lab.store.put(newest, manifest)
    changed = run("dev", "--rebuild")
    assert changed.exit_code == 0, changed.output
    assert "the dbt project has changed, and with it the warehouse: marts.fact_ratings differs" in changed.output
    assert lab.marts() == lived

    with duckdb.connect(str(warehouse)) as connection:  # as if a project had a column for a while
        connection.execute("alter table snapshots.snap_movies add column formerly varchar")
    taken_back = run("dev", "--rebuild")
    assert taken_back.exit_code == 0, taken_back.output
    assert "snapshots.snap_movies has other columns: formerly" in taken_back.output
    assert lab.marts() == lived

    lab.manifest(dataset, Batch(START + timedelta(days=2), {"movies": [(1, "I (2001)", "Drama")]}, {"movies": "delta"}))
    with_one_more = run("dev", "--rebuild")
    assert with_one_more.exit_code == 0, with_one_more.output
    assert "not compared: the old warehouse differs by batch 000003" in with_one_more.output
    assert lab.rows("select title from marts.dim_movies") == [("I",)]
