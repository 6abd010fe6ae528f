"""A process of ours that ends without a crash of the server is found, and its run goes on."""

import pytest

from support.deadline import wait_until
from support.items import BODIES
from support.replay import Replay


@pytest.mark.parametrize("victim", ["runner", "worker", "launcher"])
def test_the_run_of_a_terminated_process_goes_on(database, items, queue, proxy, victim):
    items.fill(500)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    proxy.throttle(requests_a_second=15)
    run_id = database.start_run("items")
    wait_until(lambda: database.run_row(run_id).published > 0, "some messages are acknowledged")

    (pid,) = database.processes(victim)
    database.admin.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    proxy.pass_on()

    run = database.wait_for(run_id)
    assert (run.state, run.published, run.in_doubt) == ("succeeded", 500, 0)
    assert Replay().apply(queue.drain()).rows == items.expected()
    wait_until(lambda: database.processes("launcher"), "the launcher is there")
    items.set_name(1, "renamed")
    assert database.run("items").published == 1
