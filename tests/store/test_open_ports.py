"""Nobody without the store's secrets gets anything at a port that it opens, another user and a web page included."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import psutil
import pytest

from ingest.store import embedded, supervisor
from ingest.store.bucket import Store
from tests.conftest import settings_in
from tests.store.test_embedded_store import eventually

NOBODY = 65534
LISTS_AND_ASSIGNS = [
    "/col/delete?collection=movielens",
    "/dir/assign?collection=movielens",
    "/dir/lookup?volumeId=1",
    "/dir/status",
    "/vol/grow?collection=movielens&count=1",
    "/vol/status",
    "/vol/vacuum?garbageThreshold=0",
    "/cluster/status",
    "/raft/stats",
    "/collection/info?collection=movielens&detail=true",
    "/ui/index.html",
    "/status",
    "/stats/disk",
    "/1,01637037d6",
    "/debug/pprof/heap",
    "/buckets/",
    "/buckets/movielens/kept/x",
    "/etc/iam/identity.json",
    "/topics/.system/log/",
    "/",
    "/movielens",
    "/movielens?list-type=2",
    "/movielens/kept/x",
    "/?Action=ListUsers",
    "/api/cluster/topology",
    "/api/s3/buckets",
    "/api/files/list?path=/buckets",
    "/object-store/buckets",
    "/metrics",
]
WRITES = [
    "/col/delete?collection=movielens",
    "/submit",
    "/movielens?delete",
    "/movielens?uploads",
    "/movielens/planted",
    "/planted",
    "/?Action=CreateUser&UserName=mallory  /?Action=AssumeRole&RoleSessionName=x",
    "/buckets/movielens/planted",
    "/.tus/buckets/movielens/planted",
    "/api/s3/buckets",
    "/api/files/delete-multiple",
    "/api/object-store/policies/planted",
]
DELETES = [
    "/movielens",
    "/movielens/kept/x",
    "/buckets/movielens?recursive=true&ignoreRecursiveError=true",
    "/buckets/movielens/kept/x",
    "/1,01637037d6",
    "/api/s3/buckets/movielens",
    "/api/files/delete?path=/buckets/movielens",
]
ASKED = [
    *product(["GET"], LISTS_AND_ASSIGNS),
    *product(["POST", "PUT"], WRITES),
    *product(["DELETE"], DELETES),
]
PAGE = {
    "Host": "movielens.attacker.example",
    "Origin": "https://attacker.example",
    "Access-Control-Request-Method": "DELETE",
    "Cookie": "jwt=x",
}
# Opens an HTTP/2 connection, and so a gRPC one: the preface and an empty SETTINGS frame. A server answers with its own.
PREFACE, SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", 4


@dataclass(frozen=True)
class Stranger:
    """Somebody on this machine who lacks the secrets, and speaks TLS, with a certificate of his own, or does not."""

    tls: bool
    certificate: Path | None = None

    def wrapped(self, plain: socket.socket, *protocols: str) -> socket.socket:
        if not self.tls:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(protocols)
        if self.certificate:
            context.load_cert_chain(self.certificate)
        return context.wrap_socket(plain)

    def status(self, port: int, method: str, path: str, headers: dict[str, str]) -> int:
        """What an HTTP server answers; 0 when it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.connect()
            connection.sock = self.wrapped(connection.sock, "http/1.1")
            connection.request(method, path, body=b"planted" if method in {"POST", "PUT"} else None, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def reaches_grpc(self, port: int) -> bool:
        """Whether a server takes an HTTP/2 connection."""
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            try:
                peer = self.wrapped(plain, "h2")
                peer.sendall(PREFACE)
                answer = peer.recv(9)
            except OSError:
                return False
        return len(answer) == 9 and answer[3] == SETTINGS


def refused(stranger: Stranger, port: int) -> list[str]:
    """Everything at a port that a stranger was not refused."""
    let = [
        f"{port} {method} {path} as {'a page' if headers else 'a program'}: {status}"
        for (method, path), headers in [*product(ASKED, ({}, PAGE)), *((("OPTIONS", path), PAGE) for path in DELETES)]
        if 0 < (status := stranger.status(port, method, path, headers)) < 400
    ]
    return let + ([f"{port} gRPC"] if stranger.reaches_grpc(port) else [])


def connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as peer:
        return peer.connect_ex(path) == 0


def pid_at(store: Store) -> int:
    """The process that listens at the store's endpoint."""
    port = int(str(store.endpoint_url).rpartition(":")[2])
    return next(int(c.pid) for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with embedded.object_store(settings_in(tmp_path_factory.mktemp("ports") / "data"), embedded=True) as store:
        store.put("kept/x", b"content")
        yield store


@pytest.fixture(scope="module")
def listening(store: Store) -> tuple[set[int], set[str]]:
    """The ports and the sockets of the process that serves the store, as the system knows them."""
    process = psutil.Process(pid_at(store))

    def ports() -> set[int]:
        return {c.laddr.port for c in process.net_connections("tcp") if c.status == "LISTEN"}

    assert eventually(lambda: len(ports()) >= 2 * len(supervisor.SERVICES))  # the last service starts after S3
    return ports(), {c.laddr for c in process.net_connections("unix") if c.laddr}


@pytest.fixture(scope="module")
def another_user() -> Iterator[ProcessPoolExecutor]:
    """A process that runs as nobody where that can be had, else as who runs the tests, who has no secrets either."""
    become = (os.setuid, (NOBODY,)) if os.geteuid() == 0 else (None, ())
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context, initializer=become[0], initargs=become[1]) as pool:
        yield pool


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stranger's, made as the store makes its own."""
    path = tmp_path_factory.mktemp("stranger") / "certificate.pem"
    supervisor._make_certificate(path)
    path.chmod(0o644)
    for folder in path.parents[:3]:  # of the test's own user only, and read by another one
        folder.chmod(0o755)
    return path


@pytest.mark.parametrize("tls", ["plain", "TLS", "TLS with a certificate of another store"])
def test_no_port_lists_assigns_writes_or_deletes_for_whoever_lacks_the_secrets(
    store: Store,
    listening: tuple[set[int], set[str]],
    another_user: ProcessPoolExecutor,
    certificate: Path,
    tls: str,
) -> None:
    stranger = Stranger(tls != "plain", certificate if "certificate" in tls else None)
    attacks = [another_user.submit(refused, stranger, port) for port in sorted(listening[0])]
    says_that_it_runs = f"{store.endpoint_url} GET /status".removeprefix("http://127.0.0.1:")
    let = [let for attack in attacks for let in attack.result(60) if not let.startswith(says_that_it_runs)]
    assert let == []
    assert [(found.key, store.get(found.key)) for found in store.list()] == [("kept/x", b"content")]


def test_its_sockets_are_closed_to_another_user(
    listening: tuple[set[int], set[str]], another_user: ProcessPoolExecutor
) -> None:
    assert len(listening[1]) >= 5
    assert {path for path in listening[1] if Path(path).stat().st_mode & 0o077} == set()
    if os.geteuid() == 0:
        assert [path for path in listening[1] if another_user.submit(connects, path).result(10)] == []


def test_whoever_has_the_key_is_let_in(store: Store, listening: tuple[set[int], set[str]]) -> None:
    run = Path(psutil.Process(pid_at(store)).cwd()).with_name("s3-run")
    friend = Stranger(tls=True, certificate=run / supervisor.CERTIFICATE)
    assert sum(friend.reaches_grpc(port) for port in listening[0]) == len(listening[0]) - 1  # S3 speaks HTTP/1.1
    assert 200 in {friend.status(port, "GET", "/dir/status", {}) for port in listening[0]}
