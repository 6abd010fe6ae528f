"""Without shared_preload_libraries a backend starts the worker when a run is asked for."""

import pytest

from support.database import create_database, drop_database
from support.items import BODIES, Items
from support.running import destroy, fresh_name, started_cluster


@pytest.fixture(scope="module")
def unloaded():
    cluster = started_cluster()
    yield cluster
    destroy(cluster)


@pytest.fixture
def database(unloaded, emulator):
    database = create_database(unloaded, fresh_name("db"), emulator.endpoint)
    yield database
    for pid in database.processes("worker") + database.processes("runner"):
        database.admin.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    drop_database(database)


def test_runs_work_on_demand(database, queue):
    items = Items(database.analyst).create().fill(100)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    assert database.processes("launcher") == []

    for _ in range(3):
        assert database.run("items").state == "succeeded"
        items.change_at_random(5)

    assert len(database.processes("worker")) <= 1
    assert len(queue.drain()) > 100


def test_runs_asked_for_at_once_share_one_worker(database, queue):
    Items(database.analyst).create().fill(100)
    names = ["one", "two", "three"]
    for name in names:
        database.create_sync(name, queue.name, model="item_rows", **BODIES["template"])
    runs = [database.start_run(name) for name in names]
    for run_id in runs:
        assert database.wait_for(run_id).state == "succeeded"
    assert len(database.processes("worker")) <= 1


def test_after_a_restart_a_run_goes_on_when_the_next_is_asked_for(database, queue, proxy):
    Items(database.analyst).create().fill(500)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    proxy.delay(60_000)
    interrupted = database.start_run("items")
    database.cluster.stop("immediate")
    proxy.refuse()
    proxy.pass_on()
    database.cluster.start()
    database.connect()

    assert database.run("items").state == "succeeded"
    assert database.run_row(interrupted).finished_at is not None
    assert {message.attributes["key"] for message in queue.drain()} == {str(i) for i in range(1, 501)}
