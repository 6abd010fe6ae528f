"""A consumer compares each message with what the definition says of its row: body, every attribute, group,
deduplication id and order. What is expected is made here from the table, by other code than the extension's."""

import json
import random

import pytest

from support import digest
from support.items import HOSTILE
from support.running import fresh_name

ROWS = 150
GROUPS = ["plain", "a&b#1", "~!\"$%'()*", "<{[|]}>", "x" * 128]
LIMIT = 1_048_576

PARCELS = """
CREATE TABLE parcels (id integer PRIMARY KEY, place integer, customer text, body text, total numeric, cents bigint,
                      photo bytea, note text, own text);
"""

ATTRIBUTES = {
    "source": "crm",
    "customer": {"type": "String.name", "value": "{{row.customer}}"},
    "note": "note: {{row.note}}",
    "total": {"type": "Number", "value": "{{row.total}}"},
    "cents": {"type": "Number.EUR.cents", "value": "{{row.cents}}"},
    "photo": {"type": "Binary", "value": "{{row.photo}}"},
    "thumb.1": {"type": "Binary.jpeg", "value": "{{row.photo}}"},
    "utf-8_note": {"type": "Binary", "value": "é{{row.note}}"},
    "key": "{{key}}",
    "change_id": {"type": "Number", "value": "{{change.id}}"},
}


@pytest.fixture(params=["standard", "fifo"])
def target(request, emulator):
    queue = emulator.create_queue(fresh_name("parcels") + (".fifo" if request.param == "fifo" else ""))
    yield queue
    queue.delete()


@pytest.fixture
def parcels(database):
    chance = random.Random(7)
    database.analyst.execute(PARCELS)
    rows = [made_up(chance, number) for number in range(1, ROWS + 1)]
    with database.analyst.cursor() as cursor:
        cursor.executemany("INSERT INTO parcels VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", rows)
    return database


def made_up(chance, number):
    body = " ".join(chance.choices(HOSTILE, k=chance.choice([1, 3, 40]))) + f"/{number}"
    if number % 50 == 0:
        body += "🎻" * 20_000
    total = chance.choice(["0.1", "-12.50", "99999999999999999999999999999999999999", "1e-20", "-0.0", "1e100"])
    photo = bytes(chance.choices(range(256), k=chance.choice([1, 256, 5000])))
    return (number, chance.randrange(ROWS * 10), chance.choice(GROUPS), body, total, chance.randrange(-10**18, 10**18),
            photo, chance.choice(HOSTILE), f"own-{number}")


def rows(database):
    return {row.id: row for row in database.analyst.execute(
        "SELECT *, total::text AS total_text FROM parcels ORDER BY id")}


def attributes_of(row, change_id):
    return {
        "source": ("String", "crm"),
        "customer": ("String.name", row.customer),
        "note": ("String", f"note: {row.note}"),
        "total": ("Number", row.total_text),
        "cents": ("Number.EUR.cents", str(row.cents)),
        "photo": ("Binary", bytes(row.photo)),
        "thumb.1": ("Binary.jpeg", bytes(row.photo)),
        "utf-8_note": ("Binary", f"é{row.note}".encode()),
        "key": ("String", str(row.id)),
        "change_id": ("Number", change_id),
    }


def received(message):
    return {name: (message.types[name], value) for name, value in message.attributes.items()}


def check_contents(messages, rows):
    assert sorted(int(m.attributes["key"]) for m in messages) == sorted(rows)
    for message in messages:
        row = rows[int(message.attributes["key"])]
        expected = attributes_of(row, message.attributes["change_id"])
        assert message.body == row.body
        assert received(message) == expected
        assert message.digests == (digest.of_body(row.body), digest.of_attributes(expected))
        assert message.group_id == row.customer


def check_order(messages, rows, what):
    """Within each group, by receipt and by the queue's own number."""
    for group in GROUPS:
        told = [m for m in messages if m.group_id == group]
        assert [int(m.attributes["key"]) for m in told] == sorted(
            (int(m.attributes["key"]) for m in told), key=lambda id: what(rows[id]))
        assert [m.sequence for m in told] == sorted(m.sequence for m in told)


@pytest.mark.e2e
def test_each_message_is_what_its_definition_says_of_its_row(parcels, target):
    parcels.create_sync("parcels", target.name, model="parcels", body_column="body", format="text",
                        attributes=ATTRIBUTES, group_id="{{row.customer}}", order_by="place desc, id")
    sync_uuid = parcels.admin.execute("SELECT sync_uuid FROM sqs_sync.sync").fetchone()[0]
    told = rows(parcels)

    run = parcels.run("parcels")

    assert (run.state, run.published) == ("succeeded", ROWS), run.error
    messages = target.drain()
    check_contents(messages, told)
    if target.name.endswith(".fifo"):
        check_order(messages, told, lambda row: (-row.place, row.id))
        assert {m.dedup_id for m in messages} == {f"{sync_uuid}:{m.attributes['change_id']}" for m in messages}
    else:
        assert {m.dedup_id for m in messages} == {None}

    before = {row.id: row for row in told.values() if row.id <= 20}
    parcels.analyst.execute("UPDATE parcels SET body = 'b' || body, photo = '\\x00' WHERE id > 100")
    parcels.analyst.execute("DELETE FROM parcels WHERE id <= 20")
    assert parcels.run("parcels").published == 70
    check_contents(target.drain(), {**before, **{id: row for id, row in rows(parcels).items() if id > 100}})


def test_a_deduplication_id_of_ones_own_arrives_as_it_is(parcels, emulator):
    queue = emulator.create_queue(fresh_name("parcels") + ".fifo")
    parcels.create_sync("parcels", queue.name, model="parcels", fields='["id"]', attributes={},
                        group_id="all", dedup_id="{{row.own}}/{{event}}", order_by="id")
    assert parcels.run("parcels").published == ROWS
    messages = queue.drain()
    assert [json.loads(m.body)["id"] for m in messages] == list(range(1, ROWS + 1)), "one group, one order"
    assert [m.dedup_id for m in messages] == [f"own-{id}/added" for id in range(1, ROWS + 1)]
    assert {m.group_id for m in messages} == {"all"}
    queue.delete()


def test_a_message_of_the_largest_size_arrives_whole_and_one_byte_more_is_the_rows_rejection(database, target):
    """Names, types and values of attributes count."""
    room = LIMIT - len("kind" + "String" + "x") - len("photo" + "Binary") - 4
    database.analyst.execute("CREATE TABLE large (id integer PRIMARY KEY, body text, photo bytea)")
    database.analyst.execute("INSERT INTO large SELECT i, repeat('é', 1000) || repeat('x', %s + i), '\\x00010203'"
                             " FROM generate_series(-1, 1) i", (room - 2000,))
    database.create_sync("large", target.name, model="large", body_column="body", format="text", group_id="all",
                         attributes={"kind": "x", "photo": {"type": "Binary", "value": "{{row.photo}}"}})

    run = database.run("large")

    assert (run.published, run.rejected) == (2, 1)
    [rejection] = database.rejections("large")
    assert (json.loads(rejection.key), rejection.code) == ({"id": 1}, "message_too_long")
    assert str(LIMIT + 1) in rejection.reason
    assert sorted(len(m.body.encode()) for m in target.drain()) == [room - 1, room]


def test_the_digests_that_are_expected_are_those_of_sqs():
    """As recorded from SQS by moto's authors, in tests/test_sqs/test_sqs.py of theirs."""
    assert digest.of_attributes({
        "id": ("String", "453ae55e-f03b-21a6-a4b1-70c2e2e8fe71"),
        "mybin": ("Binary", b"kekchebukek"),
        "timestamp": ("Number.java.lang.Long", "1603134247654"),
        "contentType": ("String", "application/json")}) == "049075255ebc53fb95f7f9f3cedf3c50"
    assert digest.of_body("derp") == "58fd9edd83341c29f1aebba81c31e257"
