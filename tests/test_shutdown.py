"""Nothing that a DBA does waits for a run that is publishing."""

import contextlib
import time

import pytest

from support.deadline import wait_until
from support.items import BODIES

PROMPT = 10
SLOW_ANSWER = 60_000


@pytest.fixture
def publishing(database, items, queue, proxy):
    """A run whose requests are all in flight and will not be answered for a minute."""
    items.fill(2000)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    proxy.delay(SLOW_ANSWER)
    run_id = database.start_run("items")
    wait_until(lambda: database.run_row(run_id).state == "publishing" and proxy.requests > 0,
               "the run is publishing")
    assert database.processes("runner")
    return database


@contextlib.contextmanager
def prompt():
    start = time.monotonic()
    yield
    assert time.monotonic() - start < PROMPT


def test_drop_extension_is_prompt(publishing):
    with prompt():
        publishing.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    wait_until(lambda: not publishing.processes("runner"), "the runner is gone", PROMPT)
    assert publishing.admin.execute("SELECT to_regclass('sqs_sync.sync')").fetchone()[0] is None


def test_drop_database_is_prompt(publishing):
    publishing.close()
    with publishing.cluster.connect() as postgres, prompt():
        postgres.execute(f"DROP DATABASE {publishing.name}")
        assert postgres.execute("SELECT count(*) FROM pg_database WHERE datname = %s",
                                (publishing.name,)).fetchone()[0] == 0


def test_rename_and_template_are_prompt(publishing):
    publishing.close()
    with publishing.cluster.connect() as postgres:
        with prompt():
            postgres.execute(f"ALTER DATABASE {publishing.name} RENAME TO renamed")
        with prompt():
            postgres.execute(f"ALTER DATABASE renamed RENAME TO {publishing.name}")
        with prompt():
            postgres.execute(f"CREATE DATABASE copy_of_it TEMPLATE {publishing.name}")
        with prompt():
            postgres.execute("DROP DATABASE copy_of_it")


def test_fast_shutdown_is_prompt_and_the_run_goes_on_afterwards(publishing, proxy, queue):
    with prompt():
        publishing.cluster.stop("fast")
    proxy.refuse()
    proxy.pass_on()
    publishing.cluster.start()
    publishing.connect()

    assert publishing.run("items").state == "succeeded"
    assert queue.waiting() >= 2000
