from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from pathlib import Path

import pooch
import pytest

from ingest.batches.landing import Landing
from ingest.errors import SourceError
from ingest.settings import Settings
from ingest.sources.download import without_credentials
from ingest.sources.releases import RELEASES, Release, check_name, resolve


def zip_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"ml/{name}.csv", content)
    return buffer.getvalue()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


ARCHIVE = zip_of(ratings=b"r" * 100_000, movies=b"m" * 1000)


class Mirror:
    """A web server on loopback: `files`, the `cuts` and `failures` to come, what was `asked` for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cuts = self.failures = 0
        self.asked: list[str] = []


@pytest.fixture
def mirror(monkeypatch):
    served = Mirror()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/m/")
            served.asked.append(name)
            if served.failures or name not in served.files:
                self.send_error(503 if served.failures else 404)
                served.failures = max(0, served.failures - 1)
                return
            content = served.files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if served.cuts and name.endswith(".zip"):
                served.cuts -= 1
                content = content[: len(content) // 2]
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("MOVIELENS_RELEASES_URL", f"http://127.0.0.1:{server.server_port}/m/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MOVIELENS_DATA_DIR", str(tmp_path / "data"))
    return Settings()


def publish(monkeypatch, mirror: Mirror, release: Release, content: bytes = ARCHIVE) -> str:
    monkeypatch.setitem(RELEASES, release.name, release)
    mirror.files[f"{release.name}.zip"] = content
    return release.name


def left_over(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.downloads.rglob("*") if path.suffix != ".lock" and path.is_file())


def test_a_release_is_downloaded_once(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    path = resolve(name, cache)
    assert path.read_bytes() == ARCHIVE
    assert resolve(name, cache) == path
    assert mirror.asked == ["ml-20m.zip"]
    assert left_over(cache) == ["ml-20m.zip", "ml-20m.zip.md5"]


def test_a_cut_download_is_started_anew(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    mirror.cuts = 2
    assert resolve(name, cache).read_bytes() == ARCHIVE
    assert len(mirror.asked) == 3


def test_a_download_that_is_cut_every_time_leaves_nothing_that_looks_whole(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    mirror.cuts = 99
    with pytest.raises(SourceError, match=r"/m/ml-20m\.zip: the connection was cut.*--source PATH"):
        resolve(name, cache)
    assert left_over(cache) == []


def test_an_unfinished_file_of_a_killed_run_is_not_used(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    partial = cache.downloads / ".ml-20m.partial"
    partial.mkdir(parents=True)
    (partial / "ml-20m.zip").write_bytes(ARCHIVE[:500])
    (partial / "tmp1234").write_bytes(ARCHIVE[:500])
    assert resolve(name, cache).read_bytes() == ARCHIVE
    assert left_over(cache) == ["ml-20m.zip", "ml-20m.zip.md5"]


def test_a_wrong_checksum_is_refused_and_not_kept(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5="0" * 32))
    with pytest.raises(SourceError, match=r"does not have the md5 0000.*was not kept"):
        resolve(name, cache)
    assert left_over(cache) == []


def test_a_cached_file_that_was_damaged_is_downloaded_anew(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    resolve(name, cache).write_bytes(ARCHIVE[:-1])
    assert resolve(name, cache).read_bytes() == ARCHIVE


def test_a_failing_server_is_asked_again_and_then_named(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-20m", md5=md5(ARCHIVE)))
    mirror.failures = 1
    assert resolve(name, cache).exists()
    mirror.failures = 99
    (cache.downloads / "ml-20m.zip").unlink()
    with pytest.raises(SourceError, match="the server answered 503"):
        resolve(name, cache)


@pytest.mark.parametrize(
    ("by_file", "complaint"),
    [
        ({"ratings.csv": md5(b"other")}, "ratings.csv does not have the md5"),
        ({"tags.csv": md5(b"")}, "tags.csv is not in it"),
    ],
)
def test_a_release_pinned_by_file_is_refused_when_a_file_differs(mirror, cache, monkeypatch, by_file, complaint):
    name = publish(monkeypatch, mirror, Release("ml-32m", md5_by_file=by_file))
    with pytest.raises(SourceError, match=complaint):
        resolve(name, cache)
    assert left_over(cache) == []


def test_a_release_pinned_by_file_is_accepted_when_its_files_agree(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-32m", md5_by_file={"movies.csv": md5(b"m" * 1000)}))
    assert resolve(name, cache).exists()


def test_a_regenerated_release_is_held_against_the_md5_beside_it(mirror, cache, monkeypatch, capsys):
    name = publish(monkeypatch, mirror, Release("ml-latest", md5="0" * 32, regenerated=True))
    mirror.files["ml-latest.zip.md5"] = f"MD5 (ml-latest.zip) = {md5(ARCHIVE)}\n".encode()
    assert resolve(name, cache).exists()
    assert capsys.readouterr().err.splitlines() == [
        f"ml-latest: verified against the md5 published beside it ({md5(ARCHIVE)})"
    ]


def test_a_regenerated_release_that_differs_from_the_md5_beside_it_is_refused(mirror, cache, monkeypatch):
    name = publish(monkeypatch, mirror, Release("ml-latest", regenerated=True))
    mirror.files["ml-latest.zip.md5"] = f"{'1' * 32}  ml-latest.zip\n".encode()
    with pytest.raises(SourceError, match="does not have the md5 1111"):
        resolve(name, cache)


@pytest.mark.parametrize(
    ("known", "said"),
    [(md5(ARCHIVE), "is the known edition"), ("0" * 32, "only the check sums inside the zip")],
    ids=["known", "unknown"],  # the archive's md5 is another one in each process
)
def test_what_could_not_be_verified_is_said(mirror, cache, monkeypatch, capsys, known, said):
    name = publish(monkeypatch, mirror, Release("ml-latest-small", md5=known, regenerated=True))
    resolve(name, cache)
    resolve(name, cache)
    notes = capsys.readouterr().err.splitlines()
    assert said in notes[0]
    assert "delete it to get the present ml-latest-small" in notes[1]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (ARCHIVE[:-100], "not a whole zip archive"),
        (ARCHIVE.replace(b"rrrr", b"rrrx", 1), "ml/ratings.csv is damaged"),
        (b"<html>sign in first</html>", "not a whole zip archive"),
    ],
)
def test_an_unverifiable_download_must_at_least_be_a_sound_zip(mirror, cache, monkeypatch, content, complaint):
    name = publish(monkeypatch, mirror, Release("ml-latest", regenerated=True), content)
    with pytest.raises(SourceError, match=complaint):
        resolve(name, cache)
    assert left_over(cache) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/m", "no address"])
@pytest.mark.parametrize("name", ["ml-20m", "ml-latest"])
def test_without_a_network_the_message_says_what_to_fetch_by_hand(mirror, cache, monkeypatch, url, name):
    monkeypatch.setenv("MOVIELENS_RELEASES_URL", url)
    with pytest.raises(SourceError, match=rf"cannot download {url}/{name}\.zip: .*--source PATH"):
        resolve(name, Settings())


def test_an_unknown_name_suggests_the_nearest_and_lists_all(cache):
    with pytest.raises(SourceError) as caught:
        resolve("ml-lastest-small", cache)
    assert "did you mean ml-latest-small?" in str(caught.value)
    assert all(name in str(caught.value) for name in (*RELEASES, "sample"))


@pytest.mark.parametrize("name", ["", "ML-20M", "../ml", "a b", "-x", "ml_20m", "x" * 64])
def test_a_name_that_could_not_be_a_folder_of_the_store_is_refused(name):
    with pytest.raises(SourceError, match="cannot name a data set"):
        check_name(name)


def test_a_local_source_may_have_any_valid_name_and_asks_no_server(mirror, cache):
    for name in ("my-own-set", "ml-20m"):
        assert Landing(name, Path("somewhere")).located(cache)[0] == Path("somewhere")
    assert mirror.asked == []


def test_no_credential_of_a_mirror_is_shown(mirror, cache, monkeypatch):
    monkeypatch.setenv("MOVIELENS_RELEASES_URL", "http://reader:s3cret@127.0.0.1:9/m?key=s3cret")
    with pytest.raises(SourceError) as caught:
        resolve("ml-20m", Settings())
    assert "s3cret" not in str(caught.value) + repr(Settings())
    assert without_credentials("https://u:p@h/x?k=v") == "https://h/x"
