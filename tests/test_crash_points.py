"""Whatever step of a run its process, or the server, ends at, the run goes on as itself: a FIFO queue
gets each change once, a standard queue at least once, and nothing is lost."""

import pytest

from support.crashes import ACTIONS, Scene, failpoints
from support.database import create_database, drop_database
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


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("point", failpoints())
def test_a_run_goes_on_as_itself_after_an_end_at(scene, point, action):
    scene.change()

    assert scene.crashes.run("items", point, action), "the run came to this step"

    scene.check_all_is_told_once()
