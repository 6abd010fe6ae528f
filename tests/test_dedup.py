"""Deduplication ids of the user's own: nothing that the queue would discard counts as told."""

import json
import time

import pytest

from support.deadline import wait_until
from support.running import fresh_name
from support.sink import Sink


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


@pytest.fixture
def parts(database):
    database.analyst.execute("""
        CREATE TABLE part (id integer PRIMARY KEY, code text, plant text);
        INSERT INTO part SELECT i, 'c' || i % 3, 'p' || i % 2 FROM generate_series(1, 6) i""")
    return database


def create(database, queue, **options):
    options = {"group_id": "{{row.plant}}", "dedup_id": "{{row.code}}", "order_by": "id", "attributes": {}, **options}
    database.create_sync("parts", queue, model="part", fields='["id", "code"]', **options)


def ids(queue):
    return sorted(json.loads(m.body)["id"] for m in queue.drain())


def test_of_a_run_s_changes_with_one_id_the_later_are_rejected(parts, emulator):
    fifo = emulator.create_queue(fresh_name("parts") + ".fifo")
    create(parts, fifo.name, message_id="part {{row.id}}")
    run = parts.run("parts")
    assert (run.state, run.published, run.rejected) == ("partly_failed", 3, 3)
    assert ids(fifo) == [1, 2, 3]
    rejections = parts.rejections("parts")
    assert [(json.loads(r.key)["id"], r.code, r.message_id) for r in rejections] == [
        (4, "would_be_suppressed", "part 4"), (5, "would_be_suppressed", "part 5"), (6, "would_be_suppressed", "part 6")]
    assert all("deduplication id" in r.reason and "dedup_id" in r.hint for r in rejections)


def test_where_ids_are_the_group_s_another_group_may_have_the_same(parts, emulator):
    fifo = emulator.create_queue(fresh_name("parts") + ".fifo")
    fifo.client.set_queue_attributes(QueueUrl=fifo.url, Attributes={
        "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
    create(parts, fifo.name)
    run = parts.run("parts")
    assert (run.published, run.rejected) == (6, 0), "each code is once in each plant"


def test_an_id_belongs_to_its_queue(parts, emulator):
    prefix = fresh_name("parts")
    queues = [emulator.create_queue(f"{prefix}-p{n}.fifo") for n in (0, 1)]
    create(parts, prefix + "-{{row.plant}}.fifo")
    assert parts.run("parts").published == 6
    assert [ids(queue) for queue in queues] == [[2, 4, 6], [1, 3, 5]]


def test_an_id_of_the_last_five_minutes_is_waited_out_and_holds_its_group_alone(parts, sink):
    """The sink forgets ids at once; ours are told to be almost five minutes old."""
    fifo = sink.create_queue(fresh_name("parts") + ".fifo", deduplication_ms=1)
    parts.point_at(sink.endpoint)
    parts.analyst.execute("DELETE FROM part WHERE id > 3")
    create(parts, fifo)
    assert parts.run("parts").published == 3
    parts.analyst.execute("UPDATE part SET plant = plant || '!'; INSERT INTO part VALUES (7, 'c7', 'p1!'), (8, 'c8', 'p2')")
    parts.admin.execute("UPDATE sqs_sync.claim SET at = clock_timestamp() - interval '4 min 56 s'")
    began = time.monotonic()
    run = parts.start_run("parts")
    wait_until(lambda: parts.row("SELECT published FROM sqs_sync.progress WHERE run_id = %s", run) == (1,),
               "the group without a clash is told at once", 30)
    assert sink.counts(fifo)["delivered"] == 4
    run = parts.wait_for(run)
    assert (run.state, run.published, run.rejected) == ("succeeded", 5, 0)
    assert time.monotonic() - began > 3
    assert parts.run("parts").rows_changed == 0


def test_a_change_that_is_sent_again_has_its_own_id(parts, sink):
    fifo = sink.create_queue(fresh_name("parts") + ".fifo", cut_share=0.5, reset_after_share=0.2)
    parts.point_at(sink.endpoint)
    parts.analyst.execute("UPDATE part SET code = 'c' || id; INSERT INTO part SELECT i, 'c' || i, 'p' || i % 20 FROM generate_series(7, 100) i")
    create(parts, fifo)
    run = parts.run("parts")
    assert (run.state, run.published, run.rejected) == ("succeeded", 100, 0)
    counts = sink.counts(fifo)
    assert (counts["distinct"], counts["duplicates"]) == (100, 0) and counts["suppressed"] > 0


def test_what_was_certainly_not_sent_holds_no_id(parts, emulator):
    fifo = emulator.create_queue(fresh_name("parts") + ".fifo")
    parts.analyst.execute("DELETE FROM part WHERE id > 3")
    create(parts, fifo.name, retry_for="0 seconds")
    parts.point_at("http://127.0.0.1:9")
    assert parts.run("parts").state == "failed"
    assert parts.admin.execute("SELECT count(*) FROM sqs_sync.claim").fetchone() == (0,)
    parts.point_at(parts.endpoint)
    began = time.monotonic()
    assert parts.run("parts").published == 3
    assert time.monotonic() - began < 60, "nothing is waited out"


def test_the_default_and_deduplication_by_content_claim_nothing(parts, emulator):
    fifo = emulator.create_queue(fresh_name("parts") + ".fifo")
    fifo.client.set_queue_attributes(QueueUrl=fifo.url, Attributes={"ContentBasedDeduplication": "true"})
    create(parts, fifo.name, dedup_id=None)
    assert parts.run("parts").published == 6
    assert parts.admin.execute("SELECT count(*) FROM sqs_sync.claim").fetchone() == (0,)


def test_a_queue_s_own_maximum_is_kept_where_it_is_known(parts, emulator):
    queue = emulator.create_queue(fresh_name("parts"))
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"MaximumMessageSize": "1024"})
    parts.analyst.execute("UPDATE part SET code = repeat('x', 2000) WHERE id = 2; INSERT INTO part SELECT i, repeat('y', 2000) FROM generate_series(7, 5000) i")
    parts.create_sync("parts", queue.name, model="part", body_column="code", attributes={}, message_id="{{row.id}}")
    run = parts.run("parts")
    assert (run.published, run.rejected) == (5, 4995)
    codes = parts.rows("SELECT code, count(*) AS rows, max(reason) AS reason FROM sqs_sync.rejections GROUP BY code")
    by_code = {row.code: row.reason for row in codes}
    assert "1024" in by_code["message_too_long"], "found before the call, once it is known"
    assert parts.value("SELECT count(*) FROM sqs_sync.rejections WHERE message_id = key::json->>'id'") == 4995
