"""Whatever of the server is killed in the middle of a run, nothing is lost."""

import random

import pytest

from support.cluster import MAJOR
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay

KILLS_OF_EACH = 10 if MAJOR == "15" else 1
VICTIMS = ["runner", "worker", "postmaster"] * KILLS_OF_EACH


@pytest.mark.e2e
def test_replay_survives_kills_at_random_moments(durable_database, proxy, queue, capsys):
    database, chance = durable_database, random.Random(2)
    items = Items(database.analyst, seed=3).create().fill(1000)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    replay, kills = Replay(), dict.fromkeys(VICTIMS, 0)
    proxy.delay(20)

    for victim in VICTIMS:
        items.change_at_random(100)
        while not killed(database, victim, proxy, chance):
            items.change_at_random(100)
        kills[victim] += 1
        items.connection = database.analyst
        replay.apply(queue.drain())

    last = database.run("items")
    replay.apply(queue.drain())

    with capsys.disabled():
        print(f"\nkills: {kills}; messages: {replay.received}, of these duplicates: {replay.duplicates}")
    assert replay.rows == items.expected()
    assert sum(kills.values()) == len(VICTIMS)
    assert (last.state, last.in_doubt) == ("succeeded", 0)
    assert database.run("items").published == 0


def killed(database, victim, proxy, chance):
    """Whether a run was under way when the victim was killed, at a random moment of it."""
    requests_before = proxy.requests
    run_id = database.start_run("items")
    moment = requests_before + chance.randrange(40)
    wait_until(lambda: ended(database, run_id) or
               (database.processes("runner") and proxy.requests >= moment),
               "the run has ended or come to the moment of the kill", 120)
    runners = database.processes("runner")
    if not runners:
        return False
    if victim == "postmaster":
        database.cluster.kill_postmaster()
        database.cluster.start()
    else:
        pids = runners if victim == "runner" else wait_until(
            lambda: database.processes("worker"), "the worker is there")
        try:
            database.cluster.kill_and_await_recovery(pids[0])
        except ProcessLookupError:
            return False
    database.connect()
    return True


def ended(database, run_id):
    return database.run_row(run_id).finished_at is not None
