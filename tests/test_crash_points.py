"""Whatever step of a run its process, or the server, ends at, the run goes on as itself: a FIFO queue
gets each change once, a standard queue at least once, and nothing is lost."""

import pytest

from support.crashes import ACTIONS, Crashes, failpoints
from support.database import create_database, drop_database
from support.items import BODIES, Items
from support.replay import Replay
from support.running import destroy, fresh_name, started_cluster


@pytest.fixture(scope="module")
def scene(emulator):
    """Some deduplication ids are the user's own, so that claims are made too."""
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    database = create_database(cluster, fresh_name("db"), emulator.endpoint)
    queue = emulator.create_queue(fresh_name("queue") + ".fifo")
    scene = Scene(database, queue)
    yield scene
    queue.delete()
    drop_database(database)
    destroy(cluster)


class Scene:
    def __init__(self, database, queue):
        self.database, self.queue = database, queue
        self.replay, self.crashes = Replay(), Crashes(database)
        self.items = Items(database.analyst, seed=7).create().fill(200)
        database.create_sync("items", queue.name, model="item_rows", group_id="{{row.id | modulo: 7}}",
                             **BODIES["template"])
        database.analyst.execute("SELECT sqs_sync_on('items', 'changed', dedup_id => 'own-{{change.id}}')")
        database.run("items")
        self.replay.apply(queue.drain())

    def change(self):
        self.items.connection = self.database.analyst
        self.items.change_at_random(5)

    def check_all_is_told_once(self):
        self.items.connection = self.database.analyst
        before = self.replay.duplicates, self.replay.needless
        self.replay.apply(self.queue.drain())
        last = self.database.row("SELECT * FROM sqs_sync.runs ORDER BY run_id DESC LIMIT 1")
        assert (last.state, last.rejected, last.in_doubt) == ("succeeded", 0, 0), last.error
        assert self.replay.rows == self.items.expected()
        assert (self.replay.duplicates, self.replay.needless) == before, "nothing more is told twice"


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("point", failpoints())
def test_a_run_goes_on_as_itself_after_an_end_at(scene, point, action):
    scene.change()

    assert scene.crashes.run("items", point, action), "the run came to this step"

    scene.check_all_is_told_once()
