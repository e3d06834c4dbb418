"""What a run on a target needs: the store, the warehouse, dbt and the gate, and the lock of their one writer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from expectations.gate import Gate
from ingest.batches.landing import Landing
from ingest.batches.lock import locked
from ingest.settings import Settings
from ingest.store.bucket import Store
from ingest.store.embedded import object_store
from pipeline import bootstrap
from pipeline.apply import Context
from pipeline.dbt import Dbt
from pipeline.report import Report
from pipeline.warehouse import Warehouse, duckdb_warehouse, snowflake_warehouse
from profiles import TARGETS, engine, snowflake
from profiles.environment import AWS, SNOWFLAKE, also, forget
from profiles.errors import PipelineError
from profiles.warehouse_file import WarehouseFile
from profiles.warehouse_schemas import BUILD, WarehouseSchemas


@contextmanager
def only_writer(settings: Settings, job: str, warehouse: str) -> Iterator[None]:
    """Holds what a run of a target, or another job, writes to; a second one in the same place is refused at once."""
    paths = [settings.data_dir / f"{job}.lock"]
    if job in TARGETS and engine(job).is_local:  # which a run with another data folder may work on too
        paths.append(settings.warehouse.resolve().with_suffix(".lock"))
    with ExitStack() as held:
        for path in paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(path, timeout=0))
            except Timeout:
                raise PipelineError(
                    f"Another run is writing to {warehouse} (it holds {path}): wait for it, or stop it."
                ) from None
            except OSError as error:
                raise PipelineError(
                    f"{path.parent} cannot be used: {error.strerror}. Make it writable, or set "
                    f"{'MOVIELENS_DATA_DIR' if path is paths[0] else 'MOVIELENS_WAREHOUSE'}."
                ) from None
        yield


def refuse_prefix() -> None:
    """Raises `PipelineError` where the environment gives the schemas a prefix."""
    if prefix := os.environ.get("MOVIELENS_SCHEMA_PREFIX"):
        raise PipelineError(
            f"MOVIELENS_SCHEMA_PREFIX is {prefix}: a run publishes the schemas without a prefix. Unset it; for schemas of "
            f"your own on Snowflake there is --sandbox NAME."
        )


@contextmanager
def run_context(
    target: str,
    settings: Settings,
    report: Report,
    accepted: Sequence[str] = (),
    *,
    anew: bool = False,
    landing: Landing | None = None,
) -> Iterator[Context]:
    """Opens everything that a run on a target (`dev` or `prod`) needs, and holds the lock of its one writer.

    `anew`: all is built from nothing, whatever is published. `landing`: what is going to be landed. While the store
    starts, dbt and the gate start in the background where they are sure to be needed.
    """
    refuse_prefix()
    _refuse_role(target)
    warehouse = warehouse_of(target, settings)
    with ExitStack() as open_:
        open_.enter_context(only_writer(settings, target, warehouse.name))
        snowflake.tag(run=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        copy, publication = open_.enter_context(_copy(target, settings, warehouse, report))
        dbt = Dbt(target, report.node, lambda nodes: report.run.nodes.extend(nodes))  # of the run that it is then
        open_.callback(dbt.wait)
        # A warehouse that cannot be used is known before anything is written.
        empty = anew or not warehouse.state().loaded
        gate = open_.enter_context(Gate(target))
        with report.step("object store"), ThreadPoolExecutor(max_workers=1) as opening:
            opened = opening.submit(open_.enter_context, object_store(settings, embedded=engine(target).is_local))
            if empty or (landing and _is_news(landing, opened)):
                dbt.prepare()
                gate.prepare()
            store = opened.result()
        give_access(store)
        # Other machines may write to Snowflake, and no lock of theirs is in this data folder.
        key = f"{snowflake.database().lower()}/prod.lock"
        lock = None if engine(target).is_local else open_.enter_context(locked(store, key, "run"))
        yield Context(store, warehouse, copy, publication, dbt, report, gate, lock, accepted)


def _refuse_role(target: str) -> None:
    """Raises `PipelineError` for a role on Snowflake that the transformer could not work after."""
    role, builder = snowflake.role("transformer"), f"{snowflake.database()}_transformer"
    if not engine(target).is_local and role.lower() != builder.lower():
        raise PipelineError(f"SNOWFLAKE_ROLE is {role}: what a run publishes belongs to {builder}. Unset it.")


def _is_news(landing: Landing, opened: Future[Store]) -> bool:
    """Whether a landing will surely bring something new, as far as is known before the store is `opened`."""
    landing.read()
    if opened.done():  # what took that long to read may well be known
        return False
    return landing.source is not None or landing.day > 1


@contextmanager
def _copy(
    target: str, settings: Settings, published: Warehouse, report: Report
) -> Iterator[tuple[Warehouse, WarehouseFile | WarehouseSchemas]]:
    """The copy of a target's warehouse, where dbt and the expectations work meanwhile, and how it is published."""
    if engine(target).is_local:
        file = WarehouseFile(settings.warehouse)
        with file.worked_on():
            yield duckdb_warehouse(file.copy), file
        return

    def make_views(prefix: str) -> None:
        with also(MOVIELENS_SCHEMA_PREFIX=prefix):
            dbt = Dbt(target, report.node)  # a new one: what another has parsed names other schemas
            if not prefix:
                dbt.manifest()  # which pull requests are compared with
            dbt.make_views()

    with also(MOVIELENS_SCHEMA_PREFIX=BUILD):
        yield snowflake_warehouse(BUILD), WarehouseSchemas(published.cursor, snowflake.database(), make_views)


def give_access(store: Store) -> None:
    """Gives the engine access to the store, through the environment: no profile, argument or log sees a secret.

    Nothing else that the environment says of AWS is left: half of one sign-in and half of another is none.
    """
    credentials = store.credentials()
    forget(AWS)
    access = {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
        "AWS_REGION": store.region,
        "S3_ENDPOINT_URL": store.endpoint_url,
    }
    os.environ |= {name: text for name, text in access.items() if text}


def warehouse_of(target: str, settings: Settings) -> Warehouse:
    """The warehouse of a target, to be read."""
    return duckdb_warehouse(settings.warehouse, read_only=True) if engine(target).is_local else snowflake_warehouse()


@contextmanager
def emulated(settings: Settings) -> Iterator[Settings]:
    """A Snowflake emulator and the embedded store, with the environment that leads to them; a stand-in for tests.

    Gives the settings to go on with. It runs in this interpreter's environment, which needs fakesnow.
    """
    from profiles import emulator

    forget(SNOWFLAKE)  # it needs no account, and must not be led to one

    with object_store(settings, embedded=True) as store:
        give_access(store)
        # The emulator and this run would read AWS's files in the home folder, and stop at a broken one.
        os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
        # An account's time zone need not be UTC: nothing here may depend on it.
        with emulator.running(settings.data_dir, os.environ, timezone="America/New_York") as found:
            os.environ |= found
            bucket = {"S3_BUCKET": store.bucket, "MOVIELENS_AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/emulator"}
            with closing(snowflake.connect("accountadmin")) as connection:
                bootstrap.run(bootstrap.plan({**found, **bucket, "MOVIELENS_PUBLIC_KEY": "emulator"}), connection)
            yield Settings()
