"""A run's copy takes the place of the published file whole or not at all, whatever others do to that meanwhile."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from profiles.errors import PipelineError
from profiles.warehouse_file import WarehouseFile

SOMEBODY = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
connection.execute("select * from t" if sys.argv[2] == "reads" else "insert into t values (9)")
print("ready", flush=True)
for _ in sys.stdin:
    print(connection.execute("select max(i) from t").fetchone()[0], flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> WarehouseFile:
    """A published warehouse with one row."""
    path = tmp_path / "warehouse.duckdb"
    write(path, "create table t as select 1 as i")
    return warehouse_file(path)


def warehouse_file(path: Path) -> WarehouseFile:
    """A warehouse file with the folder that a run works in."""
    file = WarehouseFile(path)
    with file.worked_on():
        return file


def write(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def rows(path: Path) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [i for (i,) in connection.execute("select i from t order by i").fetchall()]


@contextmanager
def somebody(path: Path, does: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the file open; it answers a line with the newest row that it sees."""
    command = [sys.executable, "-c", SOMEBODY, str(path), does]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_what_is_published_is_the_same_until_the_copy_takes_its_place(file: WarehouseFile) -> None:
    before = file.published.read_bytes()
    file.begin()
    write(file.copy, "insert into t values (2)")
    assert file.published.read_bytes() == before
    file.publish()
    assert rows(file.published) == [1, 2]
    assert list(file.copy.parent.iterdir()) == []
    assert {path.name for path in file.published.parent.iterdir()} == {
        "warehouse.duckdb",
        "warehouse.published.json",
        "work",
    }


def test_a_copy_that_was_not_published_stays_until_the_next_one(file: WarehouseFile) -> None:
    file.begin()
    write(file.copy, "insert into t values (2)")
    assert rows(file.copy) == [1, 2]
    file.begin()
    assert rows(file.copy) == [1]


def test_views_read_the_published_file_and_not_the_copy(file: WarehouseFile) -> None:
    file.begin()
    write(file.copy, "create view v as select * from warehouse.main.t")
    file.publish()
    write(file.published, "insert into t values (2)")
    with duckdb.connect(str(file.published), read_only=True) as connection:
        assert connection.execute("select count(*) from v").fetchall() == [(2,)]


def test_a_reader_that_stays_over_three_publications_neither_waits_nor_is_waited_for(file: WarehouseFile) -> None:
    with somebody(file.published, "reads") as reader:
        assert reader.stdin
        assert reader.stdout
        for number in (2, 3, 4):
            file.begin()
            write(file.copy, f"insert into t values ({number})")
            file.publish()
            assert rows(file.published)[-1] == number
            reader.stdin.write("?\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "1\n"


def test_a_writer_is_not_copied_in_the_middle(file: WarehouseFile) -> None:
    with somebody(file.published, "writes"), pytest.raises(PipelineError, match="is open in another program"):
        file.begin()


def test_a_writer_is_not_published_over(file: WarehouseFile) -> None:
    file.begin()
    with somebody(file.published, "writes"), pytest.raises(PipelineError, match="is open in another program"):
        file.publish()
    assert rows(file.copy) == [1]


def insert(path: Path) -> None:
    write(path, "insert into t values (7)")


def replace(path: Path) -> None:
    other = path.with_name("other.duckdb")
    write(other, "create table t as select 7 as i")
    other.replace(path)


@pytest.mark.parametrize("meddle", [insert, replace])
def test_what_somebody_else_wrote_during_a_run_is_not_published_over(
    file: WarehouseFile, meddle: Callable[[Path], None]
) -> None:
    file.begin()
    meddle(file.published)
    theirs = file.published.read_bytes()
    with pytest.raises(PipelineError, match="written to or replaced by somebody else"):
        file.publish()
    assert file.published.read_bytes() == theirs
    assert rows(file.copy) == [1]


def test_what_somebody_made_where_nothing_was_is_not_published_over(tmp_path: Path) -> None:
    file = warehouse_file(tmp_path / "warehouse.duckdb")
    file.begin()
    write(file.copy, "create table t as select 1 as i")
    write(file.published, "create table t as select 7 as i")
    with pytest.raises(PipelineError, match="somebody else"):
        file.publish()


def test_a_published_file_that_was_deleted_during_a_run_gets_its_successor(file: WarehouseFile) -> None:
    file.begin()
    file.published.unlink()
    file.publish()
    assert rows(file.published) == [1]


def test_the_log_of_a_killed_writer_is_taken_in_and_gone_with_the_file_that_it_belongs_to(file: WarehouseFile) -> None:
    with somebody(file.published, "writes"):
        pass
    log = Path(f"{file.published}.wal")
    assert log.exists()
    file.begin()
    assert rows(file.copy) == [1, 9]
    assert log.exists()
    file.publish()
    assert not log.exists()
    assert rows(file.published) == [1, 9]


def test_a_log_beside_nothing_does_not_get_into_a_new_warehouse(file: WarehouseFile) -> None:
    with somebody(file.published, "writes"):
        pass
    file.published.unlink()
    file.begin()
    write(file.copy, "create table t as select 1 as i")
    file.publish()
    assert rows(file.published) == [1]


def test_a_disk_that_is_full_while_copying_names_the_space_that_is_needed(file: WarehouseFile) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(PipelineError, match=r"cannot be written: .*twice"):
            file.begin()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert rows(file.published) == [1]


def test_a_disk_that_is_full_when_the_copy_is_written_out_leaves_what_is_published(file: WarehouseFile) -> None:
    file.begin()
    with duckdb.connect(str(file.copy)) as connection:
        connection.execute("set checkpoint_threshold = '1GB'; set debug_skip_checkpoint_on_commit = true")
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create table big as select md5(i::varchar) as text from range(20000) as r (i)")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.published.stat().st_size + 4096, limits[1]))
    try:
        with pytest.raises(PipelineError, match="cannot be replaced by"):
            file.publish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert rows(file.published) == [1]


def test_a_disk_that_fails_at_the_rename_leaves_both_files(
    file: WarehouseFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.begin()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PipelineError, match=r"cannot be replaced by .*No space left"):
        file.publish()
    assert rows(file.published) == rows(file.copy) == [1]


def test_a_work_folder_on_another_file_system_is_refused_by_name(file: WarehouseFile) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == file.published.stat().st_dev:
        pytest.skip("there is one file system only")
    with tempfile.TemporaryDirectory(dir=other) as elsewhere:
        file.copy.parent.rmdir()
        file.copy.parent.symlink_to(elsewhere)
        with pytest.raises(PipelineError, match=f"{file.copy.parent} .* on different file systems"):
            file.begin()


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(file: WarehouseFile) -> None:
    file.copy.parent.rmdir()
    file.copy.parent.write_text("in the way")
    refused = pytest.raises(PipelineError, match=f"{file.copy.parent}, .* cannot be made: .*MOVIELENS_WAREHOUSE")
    with refused, file.worked_on():
        pass


def test_a_link_to_a_warehouse_stays_a_link(tmp_path: Path, file: WarehouseFile) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(file.published)
    linked = warehouse_file(link)
    linked.begin()
    write(linked.copy, "create view v as select i + 1 as i from warehouse.main.t")
    linked.publish()
    assert link.is_symlink()
    with duckdb.connect(str(link), read_only=True) as connection:
        assert connection.execute("select i from v").fetchall() == [(2,)]


def test_a_block_that_was_damaged_after_its_publication_is_found_though_nothing_else_reads_it(
    file: WarehouseFile,
) -> None:
    file.begin()
    write(file.copy, "create table big as select i, md5(i::varchar) as text from range(200000) as r (i)")
    file.publish()
    file.check()
    with open(file.published, "r+b") as damaged:
        damaged.seek(file.published.stat().st_size // 2)
        damaged.write(b"damage")
    assert rows(file.published) == [1]
    with pytest.raises(PipelineError, match=f"{file.published} cannot be read: .*--rebuild"):
        file.check()


def test_what_somebody_wrote_between_runs_is_no_damage(file: WarehouseFile) -> None:
    file.begin()
    file.publish()
    insert(file.published)
    file.check()
    assert rows(file.published) == [1, 7]


def test_a_file_that_is_as_the_last_run_left_it_is_not_read_again(
    file: WarehouseFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.begin()
    file.publish()

    def unasked(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(duckdb, "connect", unasked)
    file.check()


@pytest.mark.parametrize("empty", [True, False])
def test_a_file_of_something_else_is_not_replaced(tmp_path: Path, empty: bool) -> None:
    notes = tmp_path / "notes.duckdb"
    notes.write_text("what I must not forget")
    with pytest.raises(PipelineError, match="is not a DuckDB database"):
        warehouse_file(notes).check()
    with pytest.raises(PipelineError, match="is not a DuckDB database"):
        warehouse_file(notes).begin(empty=empty)
    assert notes.read_text() == "what I must not forget"
