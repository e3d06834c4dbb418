"""Landing: one batch, once, in order, and whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from ingest.batches.committed import committed, datasets, latest
from ingest.batches.landing import Landed, Landing, land
from ingest.errors import BatchError, QuarantineError, SourceError
from ingest.lines import parts
from ingest.manifest import Manifest, record_key
from ingest.settings import Settings
from ingest.store.bucket import Store
from tests.small_sources import DAY_1, DAY_2, DAY_3, FILES, MORE, another_bucket, content, folder_of, zip_of

Lander = Callable[..., Landed]


def test_a_batch_holds_every_line_and_its_manifest_says_so(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    landed = lands(zip_of(tmp_path, {file: text.replace("\n", "\r\n") for file, text in FILES.items()}))
    assert not landed.unchanged
    manifest = landed.manifest
    assert (manifest.batch_id, manifest.as_of) == ("000001", datetime(2019, 5, 1, 12, tzinfo=UTC))
    assert committed(embedded_store, dataset) == [manifest] == [latest(embedded_store, dataset)]
    assert dataset in datasets(embedded_store)
    for table in manifest.tables.values():
        [part] = table.parts
        stored = embedded_store.get(part.key)
        assert stored is not None
        assert len(stored) == part.bytes
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored)) as plain:
            assert plain.read().decode() == FILES[table.source_file]
    everything = content(embedded_store, f"{dataset}/")
    assert landed.uploaded_bytes == sum(len(stored or b"") for stored in everything.values())
    assert f"{dataset}/landing.lock" not in everything


def test_a_release_without_users_after_one_with_them_is_reported(lands: Lander, tmp_path: Path) -> None:
    users = "userId,gender,age,occupation,zipCode\n1,M,25,writer,10001\n"
    first = lands(folder_of(tmp_path, FILES | {"users.csv": users}), as_of=DAY_1)
    assert [said for said in first.warnings if "users.csv" in said] == []
    [said] = [said for said in lands(folder_of(tmp_path, FILES, "next"), as_of=DAY_2).warnings if "users.csv" in said]
    assert said.startswith("users.csv is not in this source: what batch 000001 says of users stays")
    delta = lands(folder_of(tmp_path, MORE, "delta"), as_of=DAY_3, mode="delta")
    assert [said for said in delta.warnings if "users.csv" in said] == []


def test_a_file_that_ends_where_spreadsheets_do_is_said(
    lands: Lander, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.SPREADSHEET_LINES == 1_048_576
    monkeypatch.setattr(parts, "SPREADSHEET_LINES", len(FILES["ratings.csv"].splitlines()))
    [warning] = lands(zip_of(tmp_path, FILES)).warnings
    assert warning.startswith("ratings.csv has 4 lines, all that a spreadsheet holds")


def test_a_manifest_says_nothing_about_when_or_where_it_was_landed(
    embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path
) -> None:
    other, source = another_bucket(embedded_store), zip_of(tmp_path, FILES)
    land(Landing(dataset, source), embedded_store, settings)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    land(Landing(dataset, source), other, elsewhere)
    assert content(embedded_store, f"{dataset}/") == content(other)


@pytest.mark.parametrize("make", [zip_of, folder_of])
def test_the_same_files_are_not_even_checked_again(
    lands: Lander, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Path]
) -> None:
    first = lands(make(tmp_path, FILES))
    monkeypatch.setattr(parts, "cut", lambda *_, **__: pytest.fail("it was cut again"))
    again = lands(make(tmp_path, FILES), as_of=DAY_3)
    assert (again.unchanged, again.uploaded_bytes, again.manifest) == (True, 0, first.manifest)


def test_the_same_content_uploads_nothing_whatever_its_form_and_date(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(zip_of(tmp_path, FILES), as_of=DAY_2)
    before = content(embedded_store, f"{dataset}/")
    again = lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    assert again.unchanged
    assert "0 bytes uploaded" in again.summary()
    assert content(embedded_store, f"{dataset}/") == before


def test_the_lines_of_a_folder_are_known_again_whatever_their_ends_and_what_an_older_manifest_says(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = lands(folder_of(tmp_path, FILES), as_of=DAY_1).manifest
    assert manifest.source.sha256 is None
    source = manifest.source.model_copy(update={"sha256": "0" * 64})
    older = manifest.model_copy(update={"source": source, "sha256": None})
    embedded_store.delete(manifest.key)
    embedded_store.put(manifest.key, older.model_dump_json().encode())
    monkeypatch.setattr(parts, "cut", lambda *_, **__: pytest.fail("it was cut again"))
    crlf = {file: text.replace("\n", "\r\n") for file, text in FILES.items()}
    again = lands(folder_of(tmp_path, crlf, "crlf"), as_of=DAY_2)
    assert (again.unchanged, again.manifest) == (True, older)


def test_an_earlier_batch_is_not_landed_again_with_its_own_date(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    first = lands(zip_of(tmp_path, FILES))
    lands(folder_of(tmp_path, MORE, "more"), mode="delta", as_of=DAY_2)
    before = content(embedded_store, f"{dataset}/")
    for again in (lands(zip_of(tmp_path, FILES)), lands(folder_of(tmp_path, FILES), as_of=first.manifest.as_of)):
        assert (again.manifest, again.unchanged, again.current) == (first.manifest, True, False)
        assert "newer batches follow" in again.summary()
    assert content(embedded_store, f"{dataset}/") == before


def test_a_delta_that_returns_after_another_is_landed_again(lands: Lander, tmp_path: Path) -> None:
    a, b = ({"movies.csv": f"movieId,title,genres\n1,Title {name} (1995),Drama\n"} for name in "AB")
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    for number, files in enumerate((a, b, a), 2):
        landed = lands(folder_of(tmp_path, files, f"delta-{number}"), mode="delta", as_of=DAY_2)
        assert (landed.manifest.batch_id, landed.unchanged) == (f"{number:06d}", False)


def test_content_that_returns_after_other_content_is_landed_again(lands: Lander, tmp_path: Path) -> None:
    changed = FILES | {"tags.csv": "userId,movieId,tag,timestamp\n1,1,other,1139045764\n"}
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    lands(folder_of(tmp_path, changed), as_of=DAY_2)
    third = lands(folder_of(tmp_path, FILES), as_of=DAY_3)
    assert (third.manifest.batch_id, third.unchanged) == ("000003", False)


@pytest.mark.parametrize("as_of", [DAY_1, DAY_2])
def test_a_full_table_that_is_not_later_than_every_batch_is_refused(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, as_of: datetime
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    lands(folder_of(tmp_path, MORE, "more"), mode="delta", as_of=DAY_2)
    before = content(embedded_store, f"{dataset}/")
    changed = FILES | {"ratings.csv": FILES["ratings.csv"] + "9,1,4.5,964982709\n"}
    with pytest.raises(BatchError, match=rf"as of {as_of.isoformat()[:10]}.*2020-01-02.*--as-of.*--mode delta"):
        lands(folder_of(tmp_path, changed, "changed"), as_of=as_of)
    assert content(embedded_store, f"{dataset}/") == before


def test_a_file_that_is_written_meanwhile_lands_nothing(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cut = folder_of(tmp_path, FILES), parts.cut

    def slowly(*given: object, **named: object) -> object:
        done = cut(*given, **named)  # type: ignore[arg-type]
        with (folder / "ratings.csv").open("a") as file:
            file.write("9,9,3.0,1000000000\n")
        return done

    monkeypatch.setattr(parts, "cut", slowly)
    with pytest.raises(SourceError, match=r"ratings\.csv changed while it was read"):
        lands(folder, as_of=DAY_1)
    assert committed(embedded_store, dataset) == []


def test_a_late_delta_is_landed(lands: Lander, tmp_path: Path) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_2)
    late = lands(folder_of(tmp_path, MORE, "more"), mode="delta", as_of=DAY_1)
    assert (late.manifest.batch_id, late.manifest.tables["ratings"].mode) == ("000002", "delta")


def test_each_table_may_have_its_own_mode(lands: Lander, tmp_path: Path) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    both = MORE | {"tags.csv": FILES["tags.csv"]}
    second = lands(folder_of(tmp_path, both, "both"), mode={"ratings": "delta", "tags": "full"}, as_of=DAY_2)
    assert {name: table.mode for name, table in second.manifest.tables.items()} == {"ratings": "delta", "tags": "full"}


def test_a_first_batch_needs_movies_and_ratings(lands: Lander, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"no movies\.csv: the first batch"):
        lands(folder_of(tmp_path, MORE))
    with pytest.raises(BatchError, match=r"needs all of movies\.csv and ratings\.csv.*--mode delta"):
        lands(folder_of(tmp_path, FILES, "all"), mode="delta")


def test_too_many_bad_lines_land_nothing_and_keep_a_report(
    lands: Lander, embedded_store: Store, dataset: str, settings: Settings, tmp_path: Path
) -> None:
    source = folder_of(tmp_path, FILES | {"ratings.csv": FILES["ratings.csv"] + "2,2,7,964982705\n"})
    with pytest.raises(QuarantineError, match=r"ratings\.csv") as refused:
        lands(source)
    assert content(embedded_store, f"{dataset}/") == {}
    [report] = (settings.data_dir / "rejected").rglob("*.csv")
    assert str(report) in str(refused.value)
    assert "2,2,7,964982705" in report.read_text()
    landed = lands(source, max_rejected=0.5)
    ratings = landed.manifest.tables["ratings"]
    assert (ratings.rows_read, ratings.rows_rejected, sum(part.rows for part in ratings.parts)) == (4, 1, 3)
    assert [part.rows for part in landed.manifest.rejected] == [1]
    assert embedded_store.head(landed.manifest.rejected[0].key)


def test_the_days_of_the_sample_follow_each_other(embedded_store: Store, settings: Settings) -> None:
    store = another_bucket(embedded_store)
    first = land(Landing("sample", ratings=2000), store, settings)
    assert land(Landing("sample", ratings=2000), store, settings).unchanged
    second = land(Landing("sample", ratings=2000, day=2), store, settings)
    assert [batch.batch_id for batch in committed(store, "sample")] == ["000001", "000002"]
    assert {table.mode for table in first.manifest.tables.values()} == {"full"}
    assert second.manifest.tables["movies"].mode == "delta"
    assert second.manifest.as_of > first.manifest.as_of


def test_a_real_release_is_landed_whole(
    lands: Lander, embedded_store: Store, releases_folder: Path, dataset: str
) -> None:
    manifest: Manifest = lands(releases_folder / "ml-latest-small.zip").manifest
    counts = {name: (table.rows_read, table.rows_rejected) for name, table in manifest.tables.items()}
    assert counts == {"movies": (9742, 0), "ratings": (100836, 0), "tags": (3683, 0), "links": (9742, 0)}
    assert committed(embedded_store, dataset) == [manifest]


def test_the_latest_batch_is_read_without_the_batches_before(
    lands: Lander, embedded_store: Store, dataset: str, tmp_path: Path
) -> None:
    lands(folder_of(tmp_path, FILES), as_of=DAY_1)
    second = lands(folder_of(tmp_path, MORE, "more"), mode="delta", as_of=DAY_2)
    embedded_store.delete(record_key(dataset, "000001"))
    embedded_store.put(record_key(dataset, "000001"), b"not a manifest")
    assert latest(embedded_store, dataset) == second.manifest
