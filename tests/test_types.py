"""Values of every kind arrive as they are, and are found unchanged at the next run."""

import json

import pytest

# type, value in SQL, value in a message
VALUES = [
    ("char(5)", "'abc'", "abc  "),
    ("bit(8)", "B'10101010'", "10101010"),
    ("varbit(8)", "B'101'", "101"),
    ("varchar(10)", "'x y'", "x y"),
    ("name", "'n'", "n"),
    ("numeric(20,4)", "'12345678901234.5000'", "12345678901234.5000"),
    ("double precision", "0.1", "0.1"),
    ("boolean", "true", True),
    ("bigint", "9223372036854775807", 9223372036854775807),
    ("timestamptz", "'2024-01-15 10:00:00.5+02'", "2024-01-15T08:00:00.5Z"),
    ("timestamp", "'2024-01-15 10:00'", "2024-01-15T10:00:00"),
    ("date", "'2024-01-15'", "2024-01-15"),
    ("interval", "'1 day 2 hours'", "1 day 02:00:00"),
    ("jsonb", "'{\"b\": [1, 2.50]}'", {"b": [1, 2.5]}),
    ("integer[]", "'{1,NULL,3}'", [1, None, 3]),
    ("char(3)[]", "'{ab,c}'", ["ab ", "c  "]),
    ("bytea", "'\\x00ff'", "\\x00ff"),
    ("uuid", "'6f1c2f0e-0000-4000-8000-000000000001'", "6f1c2f0e-0000-4000-8000-000000000001"),
    ("short_code", "'abcde'", "abcde"),
    ("flags", "B'10101010'", "10101010"),
    ("mood", "'fine'", "fine"),
    ("place", "'(1,\"2024-01-15 10:00:00+00\")'", "(1,\"2024-01-15 10:00:00+00\")"),
    ("place[]", "ARRAY['(1,)'::place]", "{\"(1,)\"}"),
    ("tstzrange", "'[2024-01-15 10:00+00,)'", "[\"2024-01-15 10:00:00+00\",)"),
    ("regclass", "'pg_class'", "pg_class"),
    ("xml", "'<a>1</a>'", "<a>1</a>"),
    ("point", "'(1,2)'", "(1,2)"),
    ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
    ("numeric", "'NaN'", None),
    ("text", "NULL", None),
]

TYPES = """
CREATE DOMAIN short_code AS char(5);
CREATE DOMAIN flags AS bit(8);
CREATE TYPE mood AS ENUM ('fine', 'sad');
CREATE TYPE place AS (id integer, since timestamptz);
"""


@pytest.fixture
def values(database, queue):
    database.analyst.execute(TYPES)
    columns = ", ".join(f"c{i} {kind}" for i, (kind, _, _) in enumerate(VALUES))
    database.analyst.execute(f"CREATE TABLE vals (id integer PRIMARY KEY, {columns})")
    database.analyst.execute(f"INSERT INTO vals VALUES (1, {', '.join(value for _, value, _ in VALUES)})")
    fields = ["id"] + [f"c{i}" for i in range(len(VALUES))]
    database.create_sync("vals", queue.name, model="vals", fields=json.dumps(fields))
    return database


def test_values_arrive_as_documented(values, queue):
    assert values.run("vals").state == "succeeded"
    (message,) = queue.drain()
    body = json.loads(message.body)
    arrived = {kind: body[f"c{i}"] for i, (kind, _, _) in enumerate(VALUES)}
    expected = {kind: json.loads(value) if kind in ("numeric(20,4)", "double precision") else value
                for kind, _, value in VALUES}
    assert arrived == expected
    assert '12345678901234.5000' in message.body, "numbers keep every digit"


def test_values_are_found_unchanged(values, queue):
    values.run("vals")
    queue.drain()
    values.analyst.execute("UPDATE vals SET id = id")
    again = values.run("vals")
    assert (again.state, again.rows_changed, again.published) == ("succeeded", 0, 0)


@pytest.mark.parametrize("kind, first, same, other", [
    ("char(5)", "'ab'", "'ab   '", "'b'"),
    ("bit(8)", "B'10101010'", "B'10101010'", "B'00000000'"),
    ("short_code", "'abcde'", "'abcde'", "'x'"),
    ("mood", "'fine'", "'fine'", "'sad'"),
    ("numeric", "1.0", "1.00", "2"),
    ("date", "'2024-01-15'", "'2024-01-15'", "'2024-01-16'"),
    ("integer[]", "'{1,2}'", "'{1,2}'", "'{1}'"),
    ("text COLLATE \"C\"", "'a b'", "'a b'", "'B'"),
])
def test_a_key_of_any_comparable_type_identifies_a_row(database, queue, kind, first, same, other):
    database.analyst.execute(TYPES)
    database.analyst.execute(f"CREATE TABLE keyed (k {kind} PRIMARY KEY, v integer)")
    database.analyst.execute(f"INSERT INTO keyed VALUES ({first}, 1), ({other}, 1)")
    database.create_sync("keyed", queue.name, model="keyed", key="k", fields='["v"]',
                         attributes={"event": "{{event}}"})
    assert database.run("keyed").rows_added == 2
    queue.drain()
    database.analyst.execute(f"UPDATE keyed SET k = {same}, v = 2 WHERE k = {first}")
    run = database.run("keyed")
    assert (run.state, run.rows_added, run.rows_changed, run.rows_removed) == ("succeeded", 0, 1, 0)
    database.analyst.execute(f"DELETE FROM keyed WHERE k = {other}")
    assert database.run("keyed").rows_removed == 1
    assert [message.attributes["event"] for message in queue.drain()] == ["changed", "removed"]
