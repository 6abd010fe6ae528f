"""What a consumer receives, property by property."""

import json

import pytest
from psycopg import errors

from support.database import call
from support.running import fresh_name


@pytest.fixture
def orders(database):
    database.analyst.execute("""
        CREATE TABLE orders (id integer PRIMARY KEY, region text, total numeric, photo bytea, note text, seconds integer);
        INSERT INTO orders VALUES (1, 'north', 12.50, '\\x00ff22', 'first', 0), (2, 'south', 7e30, NULL, NULL, 60)""")
    return database


def test_attributes_have_their_types_and_a_bytea_its_bytes(orders, queue):
    orders.create_sync("orders", queue.name, model="orders", fields='["id"]', attributes={
        "source": "crm",
        "total": {"type": "Number.EUR", "value": "{{row.total}}"},
        "photo": {"type": "Binary.jpeg", "value": "{{row.photo}}"},
        "note": {"type": "Binary", "value": "é{{row.region}}"},
    })
    run = orders.run("orders")
    assert (run.published, run.rejected) == (1, 1)
    [message] = queue.drain()
    assert message.attributes == {"source": "crm", "total": "12.50", "photo": b"\x00\xff\x22", "note": "énorth".encode()}
    assert message.types == {"source": "String", "total": "Number.EUR", "photo": "Binary.jpeg", "note": "Binary"}
    [rejection] = orders.rejections("orders")
    assert (json.loads(rejection.key), rejection.code) == ({"id": 2}, "empty_attribute")


def test_a_row_that_goes_from_a_to_b_and_back_to_a_is_three_messages_on_a_fifo_queue(orders, fifo):
    orders.create_sync("orders", fifo.name, model="orders", fields='["id", "note"]', attributes={},
                       group_id="{{row.region}}")
    for note in ("a", "b", "a"):
        orders.analyst.execute("UPDATE orders SET note = %s WHERE id = 1", (note,))
        assert orders.run("orders").state == "succeeded"
    messages = fifo.drain()
    assert [json.loads(m.body)["note"] for m in messages if m.group_id == "north"] == ["a", "b", "a"]
    assert len({m.dedup_id for m in messages}) == len(messages) == 4


def test_syncs_of_the_same_rows_do_not_suppress_one_another(orders, fifo):
    for name in ("one", "two"):
        orders.create_sync(name, fifo.name, model="orders", fields='["id"]', attributes={}, group_id="all")
        assert orders.run(name).state == "succeeded"
    assert len(fifo.drain()) == 4


def test_deduplication_by_content_or_by_an_id_of_ones_own(orders, fifo):
    fifo.client.set_queue_attributes(QueueUrl=fifo.url, Attributes={"ContentBasedDeduplication": "true"})
    orders.create_sync("content", fifo.name, model="orders", body_column="region", attributes={},
                       group_id="all", dedup="content")
    orders.create_sync("own", fifo.name, model="orders", body_column="region", attributes={},
                       group_id="all", dedup_id="{{event}}-{{row.id}}")
    assert orders.run("content").state == "succeeded"
    assert orders.run("own").state == "succeeded"
    messages = fifo.drain()
    assert {m.dedup_id for m in messages} >= {"added-1", "added-2"}
    assert len(messages) == 4


def test_a_column_chooses_the_queue_and_another_the_delay(orders, emulator):
    prefix = fresh_name("orders")
    queues = {region: emulator.create_queue(f"{prefix}-{region}") for region in ("north", "south")}
    orders.create_sync("orders", prefix + "-{{row.region}}", model="orders", fields='["id"]', attributes={},
                       delay_seconds="{{row.seconds}}", group_id="{{row.region}}")
    assert orders.run("orders").published == 2
    [message] = queues["north"].drain()
    assert (json.loads(message.body), message.group_id) == ({"id": 1}, "north")
    assert queues["south"].drain() == [], "it is delayed"
    delayed = queues["south"].client.get_queue_attributes(
        QueueUrl=queues["south"].url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert delayed["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


def test_a_queue_from_a_row_is_a_name_and_one_that_the_connection_allows(orders, emulator, queue):
    orders.admin.execute("ALTER SERVER sqs OPTIONS (ADD allowed_queues 'orders*, queue_*')")
    with pytest.raises(errors.InsufficientPrivilege, match="allowed_queues|not allow"):
        orders.create_sync("orders", "payroll", model="orders", fields='["id"]')
    orders.analyst.execute("UPDATE orders SET region = 'https://sqs.us-east-1.amazonaws.com/210987654321/evil' WHERE id = 1")
    orders.analyst.execute("UPDATE orders SET region = 'payroll' WHERE id = 2")
    orders.analyst.execute("INSERT INTO orders (id, region) VALUES (3, %s)", (queue.name,))
    orders.create_sync("orders", "{{row.region}}", model="orders", fields='["id"]', attributes={})
    run = orders.run("orders")
    assert (run.published, run.rejected) == (1, 2)
    assert {r.code for r in orders.rejections("orders")} == {"invalid_queue_name", "queue_not_allowed"}
    assert [json.loads(m.body) for m in queue.drain()] == [{"id": 3}]


def test_a_message_tells_what_was_there_before(orders, queue):
    orders.create_sync("orders", queue.name, model="orders", attributes={},
                       template='{"was": "{{old.note}}", "is": "{{row.note}}", "event": "{{event}}"}', initial="skip")
    orders.run("orders")
    orders.analyst.execute("UPDATE orders SET note = 'second' WHERE id = 1")
    orders.analyst.execute("DELETE FROM orders WHERE id = 2")
    orders.analyst.execute("INSERT INTO orders (id, note) VALUES (3, 'third')")
    assert orders.run("orders").published == 3
    told = sorted((json.loads(m.body) for m in queue.drain()), key=lambda body: body["event"])
    assert told == [{"was": "", "is": "third", "event": "added"},
                    {"was": "first", "is": "second", "event": "changed"},
                    {"was": "", "is": "", "event": "removed"}]


def test_a_change_in_doubt_is_sent_again_as_the_run_told_it_that_found_it(orders, queue, proxy):
    orders.point_at(proxy.endpoint)
    orders.create_sync("orders", queue.name, model="orders", attributes={}, retry_for="0",
                       template='{"id": {{row.id}}, "run": {{run.id}}, "at": "{{run.started_at}}"}')
    proxy.cut()
    assert orders.run("orders").in_doubt == 2
    proxy.pass_on()
    again = orders.run("orders")
    assert again.state == "succeeded"
    bodies = [m.body for m in queue.drain()]
    assert len(bodies) == 4 and len(set(bodies)) == 2


@pytest.mark.parametrize("options, message", [
    ({"queue": "orders.fifo"}, "group id"),
    ({"queue": "orders.fifo", "group_id": "all", "delay_seconds": "5"}, "delay"),
    ({"queue": "orders", "dedup_id": "x"}, "dedup"),
    ({"queue": "orders", "delay_seconds": "901"}, "900"),
    ({"queue": "orders", "group_id": "two words"}, "group"),
    ({"queue": "orders", "format": "xml"}, "format"),
    ({"queue": "orders.fifo", "group_id": "all", "dedup": "none"}, "dedup"),
])
def test_what_no_row_could_make_right_is_refused_at_creation(orders, options, message):
    with pytest.raises(errors.InvalidParameterValue, match=message):
        orders.create_sync("orders", model="orders", fields='["id"]', **options)
    assert orders.value("SELECT count(*) FROM sqs_sync.syncs") == 0


def test_each_event_has_its_own_message_and_queue(orders, emulator, queue):
    gone = emulator.create_queue(fresh_name("gone") + ".fifo")
    orders.create_sync("orders", queue.name, model="orders", attributes={"kind": "{{event}}"}, fields='["id", "note"]')
    orders.analyst.execute("SELECT sqs_sync_on('orders', 'removed', queue => %s, group_id => '{{row.region}}',"
                           " template => '{\"gone\": {{row.id}}}')", (gone.name,))
    orders.analyst.execute("SELECT sqs_sync_off('orders', 'changed')")
    assert orders.run("orders").published == 2
    queue.drain()
    orders.analyst.execute("UPDATE orders SET note = 'new' WHERE id = 1")
    orders.analyst.execute("DELETE FROM orders WHERE id = 2")
    run = orders.run("orders")
    assert (run.rows_changed, run.rows_removed, run.rows_silent, run.published) == (1, 1, 1, 1)
    assert queue.drain() == []
    [message] = gone.drain()
    assert (message.body, message.group_id, message.attributes) == ('{"gone": 2}', "south", {"kind": "removed"})
    assert orders.rows("SELECT event, own->>'queue' AS queue FROM sqs_sync.events ORDER BY 1") == [
        ("added", None), ("removed", gone.name)]
    gone.delete()


def test_what_an_event_says_can_be_added_to_and_taken_back(orders, queue):
    orders.create_sync("orders", queue.name, model="orders", attributes={}, fields='["id"]')
    on = "SELECT sqs_sync_on('orders', 'added', {})"
    orders.analyst.execute(on.format("body_column => 'note', group_id => 'mine'"))
    orders.analyst.execute(on.format("attributes => '{\"a\": \"b\"}', reset => '{body_column}'"))
    orders.run("orders")
    assert sorted((m.body, m.group_id, m.attributes["a"]) for m in queue.drain()) == [
        ('{"id":1}', "mine", "b"), ('{"id":2}', "mine", "b")]
    for refused in ("group_id => 'x', reset => '{group_id}'", "reset => '{order_by}'", "queue => 'x.fifo', delay_seconds => '1'",
                    "template => '{{row.nme}}'"):
        with pytest.raises((errors.InvalidParameterValue, errors.UndefinedColumn)):
            orders.analyst.execute(on.format(refused))
    with pytest.raises(errors.InvalidParameterValue, match="event"):
        orders.analyst.execute("SELECT sqs_sync_on('orders', 'renamed')")
    for event in ("changed", "removed"):
        orders.analyst.execute("SELECT sqs_sync_off('orders', %s)", (event,))
    with pytest.raises(errors.InvalidParameterValue, match="publishes no other event"):
        orders.analyst.execute("SELECT sqs_sync_off('orders', 'added')")


def test_an_event_can_be_without_what_its_sync_has(orders, queue, fifo):
    orders.create_sync("orders", queue.name, model="orders", fields='["id"]', attributes={"source": "crm"},
                       delay_seconds="1")
    with pytest.raises(errors.InvalidParameterValue, match="removed: delay_seconds"):
        call(orders.analyst, "sqs_sync_on", name="orders", event="removed", queue=fifo.name, group_id="all")
    call(orders.analyst, "sqs_sync_on", name="orders", event="removed", queue=fifo.name, group_id="all",
         without="{delay_seconds,attributes}")
    orders.run("orders")
    orders.analyst.execute("DELETE FROM orders WHERE id = 1")
    assert orders.run("orders").published == 1
    [message] = fifo.drain()
    assert (message.attributes, message.group_id) == ({}, "all")
    call(orders.analyst, "sqs_sync_on", name="orders", event="removed", reset="{attributes}")
    row = orders.row("SELECT own, without FROM sqs_sync.events WHERE event = 'removed'")
    assert (row.own, row.without) == ({"queue": fifo.name, "group_id": "all"}, ["delay_seconds"])


@pytest.mark.parametrize("options, says", [
    ({"without": "{queue}"}, "cannot be without a queue"),
    ({"without": "{nonesuch}"}, 'without has no "nonesuch"'),
    ({"reset": "{nonesuch}"}, 'reset has no "nonesuch"'),
    ({"without": "{attributes}", "attributes": "{}"}, "attributes is given, and in without too"),
    ({"reset": "{group_id}", "group_id": "g"}, "group_id is given, and in reset too"),
])
def test_an_event_that_contradicts_itself_is_refused(orders, queue, options, says):
    orders.create_sync("orders", queue.name, model="orders", fields='["id"]')
    with pytest.raises(errors.InvalidParameterValue, match=says):
        call(orders.analyst, "sqs_sync_on", name="orders", event="removed", **options)
