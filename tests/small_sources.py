"""Small sources to land, and what a store holds afterwards."""

from __future__ import annotations

import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from ingest.store.bucket import Store

DAY_1, DAY_2, DAY_3 = (datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3))
FILES = {
    "movies.csv": 'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Heat, again (1995)",Action\n',
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,964982704\n2,1,5.0,964982705\n",
    "tags.csv": "userId,movieId,tag,timestamp\n1,1,funny,1139045764\n",
    "links.csv": "movieId,imdbId,tmdbId\n1,0114709,862\n2,0113277,949\n",
}
MORE = {"ratings.csv": "userId,movieId,rating,timestamp\n3,2,1.0,964982706\n"}


def folder_of(tmp_path: Path, files: dict[str, str], name: str = "source") -> Path:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    return folder


def zip_of(tmp_path: Path, files: dict[str, str], name: str = "source.zip") -> Path:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"release/{file}", (2019, 5, 1, 12, 0, 0)), text)
    return tmp_path / name


def content(store: Store, prefix: str = "") -> dict[str, bytes | None]:
    return {found.key: store.get(found.key) for found in store.list(prefix)}


def another_bucket(store: Store) -> Store:
    other = Store(f"bucket-{uuid.uuid4().hex[:12]}", store.endpoint_url, credentials=store.credentials())
    other.ensure_bucket(create=True)
    return other
