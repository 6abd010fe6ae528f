"""A process that gets no more memory fails, or ends, alone: the server and its sessions go on, and so does the run.
(One that the kernel's OOM killer ends is ended by SIGKILL: test_kill, test_crash_points.)"""

import subprocess

import psycopg
import pytest

from support.cluster import alive, as_server_user
from support.crashes import Crashes, Scene
from support.deadline import wait_until
from support.items import BODIES, Items
from support.replay import Replay


@pytest.fixture
def witness(preloaded):
    """A session of somebody else's, which Postgres would end if it had to recover."""
    session = preloaded.connect()
    yield session
    assert alive(session), "Postgres did not restart"
    session.close()


def allow_no_more(pid):
    """What it has it keeps."""
    subprocess.run(as_server_user(["prlimit", "--pid", str(pid), "--as=0:"]), check=True)


# In the worker, inside the transaction of a diff, and between messages.
@pytest.mark.parametrize("point", ["runner_due", "compared", "settling"])
def test_what_asks_for_more_than_there_is_ends_alone_and_the_run_goes_on(database, fifo, witness, point):
    scene = Scene(database, fifo)
    scene.change()
    assert scene.crashes.run("items", point, "starve"), "the run came to this step"
    assert "out of memory" in database.cluster.log_tail(200)
    scene.check_all_is_told_once()


def test_a_runner_that_gets_no_more_memory_ends_alone_and_nothing_is_lost(database, queue, proxy, witness):
    """Wherever it is that it first asks for more: in Postgres, in a thread or beside it."""
    items = Items(database.analyst).create().fill(300)
    database.analyst.execute("UPDATE items SET note = repeat(id::text, 30000)")
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    proxy.delay(200)
    run_id = database.start_run("items")
    runner = wait_until(lambda: database.processes("runner"), "it has a runner")[0]
    wait_until(lambda: proxy.requests > 0, "it publishes")

    allow_no_more(runner)
    wait_until(lambda: runner not in database.processes("runner"), "the runner has ended")
    proxy.pass_on()

    ended = database.wait_for(run_id)
    assert ended.state == "succeeded" or (ended.state, ended.sqlstate) == ("failed", "53200"), ended.error
    assert database.run("items").state == "succeeded"
    assert Replay().apply(queue.drain()).rows == items.expected()


# Whatever it asks for first; or what is large by then, which is the list of what it has to report: it grows under a
# lock that the process's own thread is about to wait for.
@pytest.mark.parametrize("too_large", [0, 20_000])
def test_a_publisher_s_thread_that_gets_no_more_memory_ends_its_runner_alone(database, queue, proxy, witness, too_large):
    items = Items(database.analyst).create().fill(1000)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    crashes, log = Crashes(database), database.cluster.log
    proxy.hold()
    run_id = database.start_run("items")
    wait_until(lambda: proxy.requests > 100, "the queue is looked up, and all is on its way")
    before = log.stat().st_size

    crashes.wish("collecting", "starve_threads", f"1 {too_large}")
    wait_until(lambda: not crashes.file.exists(), "the run has come to this step")
    proxy.pass_on()

    ended = database.wait_for(run_id)
    assert b"out of memory on a thread" in log.read_bytes()[before:]
    assert (ended.state, ended.rejected, ended.in_doubt) == ("succeeded", 0, 0), ended.error
    assert Replay().apply(queue.drain()).rows == items.expected()
