"""A long backfill does not hold back vacuum."""

import time

from support.deadline import wait_until
from support.items import BODIES

LOOK = """
SELECT a.pid, a.backend_type, a.backend_xmin::text AS xmin, a.xact_start
FROM pg_stat_activity a
WHERE a.backend_type IN ('sqs_sync worker', 'sqs_sync runner') AND a.datname = current_database()
"""


def test_no_old_snapshot_is_held_while_publishing(database, items, queue, proxy):
    items.fill(3000)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    proxy.throttle(requests_a_second=20)
    run_id = database.start_run("items")
    wait_until(lambda: database.run_row(run_id).state == "publishing", "the backfill publishes")

    oldest, looks, first_seen = 0, 0, {}
    while database.run_row(run_id).state == "publishing":
        now = time.monotonic()
        held = {(row.pid, row.xmin, row.xact_start)
                for row in database.admin.execute(LOOK) if row.xmin is not None}
        first_seen = {snapshot: first_seen.get(snapshot, now) for snapshot in held}
        oldest = max([oldest] + [now - seen for seen in first_seen.values()])
        looks += 1

    lasted = database.row("SELECT finished_at - started_at AS time FROM sqs_sync.runs").time
    assert lasted.total_seconds() > 10 and looks > 100, "the backfill was too quick to tell"
    assert oldest < 5, f"a snapshot was held for {oldest:.1f} s"
    assert database.run_row(run_id).published == 3000
