"""sqs_sync_explain: how a run would compare, and what it would cost."""

import pytest

from support.database import call
from support.items import BODIES

KIB = 1024


@pytest.fixture
def synced(database, items, queue):
    items.fill(5)
    database.create_sync("items", queue.name, model="items", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    queue.drain()
    return database


def explain(database, name="items"):
    return {row.item: row.value for row in database.rows("SELECT * FROM sqs_sync_explain(%s)", name)}


def costs(lines, *items):
    return [int(lines[item]) for item in items]


def test_the_statement_is_the_runs_and_its_plan_a_merge_join(synced):
    lines = explain(synced)
    assert lines["statement"].startswith("SELECT ") and "FULL JOIN ONLY sqs_sync_data.snapshot_" in lines["statement"]
    assert lines["plan"].startswith("Merge Full Join")


def test_changes_are_counted_by_event(synced, items):
    items.fill(8, first=6)
    synced.analyst.execute("UPDATE items SET note = 'x' WHERE id <= 2; DELETE FROM items WHERE id = 5")
    assert costs(explain(synced), "resend", "added", "changed", "removed", "silent", "messages") == [0, 3, 2, 1, 0, 6]
    synced.alter_sync("items", events="{added,removed}")
    call(synced.analyst, "sqs_sync_on", name="items", event="added", condition="id <> 7")
    assert costs(explain(synced), "added", "changed", "removed", "silent", "messages") == [2, 0, 1, 3, 3]
    run = synced.run("items")
    assert (run.published, run.rows_silent) == (3, 3)


def test_requests_are_batches_of_ten_and_of_a_mebibyte_and_chunks_are_of_64_kib(database, queue):
    database.create_sync("sized", queue.name, template='"{{row.body}}"', attributes={},
                         model="SELECT i AS id, repeat('x', 100000 - 2) AS body FROM generate_series(1, 25) i")
    lines = explain(database, "sized")
    # Ten of 100,000 bytes fit a request; 1,000,000 bytes are 15.3 chunks, 500,000 are 7.6.
    assert costs(lines, "messages", "bytes", "requests", "billing chunks") == [25, 2_500_000, 3, 16 + 16 + 8]
    database.create_sync("larger", queue.name, template='"{{row.body}}"', attributes={},
                         model="SELECT i AS id, repeat('x', 600 * 1024) AS body FROM generate_series(1, 3) i")
    assert costs(explain(database, "larger"), "requests", "billing chunks") == [3, 3 * 10]
    assert lines["basis"] == "all 25 changes were rendered"


def test_with_an_order_a_request_has_one_message_of_a_group(database, queue):
    database.create_sync("grouped", queue.name, template='"x"', attributes={}, group_id="{{row.g}}",
                         model="SELECT i AS id, i % 3 AS g FROM generate_series(1, 30) i")
    assert costs(explain(database, "grouped"), "requests") == [3]
    database.alter_sync("grouped", order_by="id")
    assert costs(explain(database, "grouped"), "requests") == [10]


def test_each_queue_has_requests_of_its_own(database):
    database.create_sync("spread", "q{{row.id}}", model="SELECT i AS id FROM generate_series(1, 7) i", template='"x"')
    assert costs(explain(database, "spread"), "requests") == [7]


def test_beyond_a_sample_it_is_projected_and_says_so(database, items, queue):
    items.fill(3000)
    database.create_sync("items", queue.name, model="items", template='"same"', attributes={})
    lines = explain(database)
    assert costs(lines, "added", "messages", "bytes", "requests") == [3000, 3000, 18_000, 300]
    assert lines["basis"] == "projected: 1000 of 3000 changes were rendered"


def test_rejected_rows_cost_nothing_and_are_counted(database, items, queue):
    items.fill(10)
    database.create_sync("items", queue.name, attributes={}, template='"x"', group_id="{{row.team}}",
                         model="SELECT id, CASE WHEN id > 6 THEN 'two words' END AS team FROM items UNION ALL SELECT 10, NULL")
    lines = explain(database)
    assert costs(lines, "added", "messages", "rejected messages", "rows with a rejected key") == [9, 6, 3, 1]


def test_what_is_in_doubt_is_part_of_it(synced, items, proxy):
    synced.point_at(proxy.endpoint)
    synced.alter_sync("items", retry_for="0 seconds")
    proxy.cut()
    items.set_name(1, "doubtful")
    assert synced.run("items").in_doubt == 1
    items.set_name(2, "later")
    assert costs(explain(synced), "resend", "changed", "messages") == [1, 1, 2]
