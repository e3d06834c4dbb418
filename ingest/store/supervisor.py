"""The embedded store's supervisor: one small process that runs SeaweedFS as long as somebody uses it.

Users hold a shared lock on `users.lock`; the kernel drops it however they end. When the supervisor gets that lock
alone, nobody is left, and it stops the store. Run by `ingest.store.embedded`; only the standard library, to start fast.

Whoever lacks the store's secrets gets nothing from it: S3 asks for credentials that are made at each start, every other
port, HTTP and gRPC alike, for a certificate whose key only the owner of the data folder can read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Each service also listens on its port + 10000; both ranges lie below the ports that systems deal out by themselves.
PORTS = range(20000, 22700)
SERVICES = ("master", "volume", "filer", "s3", "admin")
START_SECONDS, STOP_SECONDS, POLL_SECONDS = 30.0, 1.0, 0.05
# By default it listens on all addresses, reports statistics to its makers, and resumes the state of its master, which
# then delays the first write by 15 to 20 s, in case other servers of a cluster come.
OPTIONS = (
    "-dir=.",  # a path would be cut at its commas
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-master.telemetry=false",
    "-master.resumeState=false",
    "-s3.allowedOrigins=none",
    "-s3.autoCreateBucket=false",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-webdav=false",
    "-admin.ui=false",
    "-volume.preStopSeconds=0",
)
# Its files; where one is missing, it takes that of /etc/seaweedfs, and would keep its metadata where that says.
FILES = {
    **dict.fromkeys(("security", "master", "volume", "admin", "notification", "credential"), ""),
    "filer": '[leveldb2]\nenabled = true\ndir = "./filerldb2"\n',
}
EMPTY_VOLUME = 8  # bytes: its superblock
# 230 MB are buffers that it sets aside at its start and hardly touches: at a limit of 256 MB, each request made it look
# for garbage, for up to ten times the CPU.
MEMORY = "320MiB"
STATE, CERTIFICATE = "endpoint.json", "certificate.pem"


def read_state(run: Path) -> dict[str, Any]:
    """What the supervisor wrote down: `pid` of the store, and its `port` and credentials once it is ready.

    {} when there is nothing, or nothing that it wrote.
    """
    try:
        state = json.loads((run / STATE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def remove_sockets(ports: Iterable[int]) -> None:
    """Removes the sockets at which nobody listens: those of `ports`, and old ones, of stores that were killed."""
    ended = {str(number) for port in ports for number in (port, port + 10000)}
    for path in Path("/tmp").glob("seaweedfs-*.sock"):  # noqa: S108 - where SeaweedFS puts them
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as peer:
            # a young one may be about to listen
            old = time.time() - path.stat().st_mtime > START_SECONDS or path.stem.rpartition("-")[2] in ended
            if old and peer.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink()


def supervise(s3_dir: Path, weed: str) -> int:
    """Starts the store, writes its endpoint down, and stops it when its last user has left; the exit code.

    It works in the current folder, which a user may delete: it then writes nothing into a new folder of that name.
    """
    end = time.monotonic() + START_SECONDS  # of all attempts: whoever started this waits a little longer
    certificate = Path.cwd() / CERTIFICATE
    identity = _identity(certificate)
    keys = {"access_key": secrets.token_hex(20), "secret_key": secrets.token_hex(20)}
    for _ in range(3):
        ports = dict(zip(SERVICES, _pick_ports(), strict=True))
        store = _start(s3_dir, weed, ports, _environment(s3_dir, certificate, **keys))
        try:
            _write_state({"pid": store.pid})
            if _wait_ready(store, s3_dir, ports, identity, end):
                _write_state({"pid": store.pid, "port": ports["s3"], **keys})
                return _until_unused(store)
        finally:
            Path(STATE).unlink(missing_ok=True)
            _stop_child(store)
            remove_sockets(ports.values())
        if all(map(_free, ports.values())):
            break  # it was not for a taken port
    return 1


def _start(s3_dir: Path, weed: str, ports: dict[str, int], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    for state_of_master in s3_dir.glob("m[0-9]*"):  # one folder a port, of no use to the next start
        shutil.rmtree(state_of_master, ignore_errors=True)
    for name, content in FILES.items():
        _write(s3_dir / f"{name}.toml", content.encode())
    arguments = [f"-{service}.port={port}" for service, port in ports.items()]
    command = [weed, "-logtostderr=true", "mini", *OPTIONS, *arguments]
    return subprocess.Popen(command, cwd=s3_dir, env=environment)


def _environment(s3_dir: Path, certificate: Path, access_key: str, secret_key: str) -> dict[str, str]:
    """All that SeaweedFS sees: nothing of the caller's, and no secret in an argument.

    Without a certificate to ask for, its ports serve every local user and web page: listing, assigning and deleting
    need no credentials there. Signed tokens guard the one door without TLS, the filer's socket.
    """
    pem, signing_key = str(certificate), secrets.token_hex(20)
    rpc = ("MASTER", "VOLUME", "FILER", "S3", "ADMIN", "WORKER", "CLIENT")
    web = ("MASTER", "VOLUME", "FILER", "ADMIN", "CLIENT")
    tokens = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    return {
        "PATH": os.defpath,
        "HOME": str(s3_dir),
        "GOMEMLIMIT": MEMORY,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "WEED_GRPC_CA": pem,
        "WEED_HTTPS_CLIENT_ENABLED": "true",
        **{f"WEED_GRPC_{service}_{file}": pem for service in rpc for file in ("CERT", "KEY")},
        **{f"WEED_HTTPS_{service}_{file}": pem for service in web for file in ("CERT", "KEY", "CA")},
        **{f"WEED_JWT_{token}_KEY": signing_key for token in tokens},
    }


def _identity(certificate: Path) -> ssl.SSLContext:
    """Shows the store's certificate and asks for it; made anew when there is none that can be used."""

    def identity() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=certificate)
        context.load_cert_chain(certificate)
        return context

    with contextlib.suppress(OSError):
        return identity()
    _make_certificate(certificate)
    return identity()


def _make_certificate(path: Path) -> None:
    """One certificate and its key in one file: every service shows it, and trusts nothing but it."""
    from datetime import UTC, datetime  # imported here: they take a tenth of a second
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "embedded object store")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(path, certificate.public_bytes(pem) + private)


def _write_state(state: dict[str, Any]) -> None:
    _write(Path(STATE), json.dumps(state).encode())


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)


def _wait_ready(
    store: subprocess.Popen[bytes], s3_dir: Path, ports: dict[str, int], identity: ssl.SSLContext, end: float
) -> bool:
    # S3 may answer before the master knows where the volumes are, and then fails to read an object.
    filled = [path for path in s3_dir.glob("*.dat") if path.stat().st_size > EMPTY_VOLUME]
    unknown = [f"/dir/lookup?volumeId={path.stem.rpartition('_')[2]}" for path in filled]
    for _ in polls(end - time.monotonic()):
        if store.poll() is not None:
            return False
        # S3's gRPC port opens after its HTTP port, which another program may have taken first.
        if _shows_certificate(ports["s3"] + 10000, identity) and answers(ports["s3"]):
            unknown = [path for path in unknown if answers(ports["master"], path, identity) != 200]
            if not unknown:
                return True
    # A volume that is damaged stays unknown: it is named by the reads of its objects.
    return bool(answers(ports["s3"]))


def _shows_certificate(port: int, identity: ssl.SSLContext) -> bool:
    """Whether it is the store that listens at a port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
            identity.wrap_socket(plain, server_hostname="127.0.0.1").close()
    except OSError:
        return False
    return True


def answers(port: int, path: str = "/", identity: ssl.SSLContext | None = None) -> int:
    """The status with which a server on a port of loopback answers; 0 if none does."""
    address = ("127.0.0.1", port)
    try:
        connection = (
            http.client.HTTPSConnection(*address, timeout=2, context=identity)
            if identity
            else http.client.HTTPConnection(*address, timeout=2)
        )
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0


def _until_unused(store: subprocess.Popen[bytes]) -> int:
    users = os.open("users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    while store.poll() is None:
        with contextlib.suppress(BlockingIOError):
            # Held until this process ends: whoever comes now waits, and then starts the store again.
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return 0
        time.sleep(POLL_SECONDS)
    return 1


def _stop_child(store: subprocess.Popen[bytes]) -> None:
    store.terminate()
    try:
        store.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        store.kill()  # what the store has acknowledged is in its files by then
        store.wait()


def _pick_ports() -> list[int]:
    return next(ports for ports in iter(lambda: random.sample(PORTS, len(SERVICES)), None) if all(map(_free, ports)))


def _free(port: int) -> bool:
    try:
        for number in (port, port + 10000):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", number))
    except OSError:
        return False
    return True


def polls(seconds: float) -> Iterator[None]:
    """One turn every few hundredths of a second, for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    if os.fork():  # its starter may end first, and must not keep a zombie
        os._exit(0)
    os.umask(0o077)  # SeaweedFS opens sockets in the temporary folder, where everybody could write to them
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(supervise(Path(sys.argv[1]), sys.argv[2]))
