"""Values of every kind arrive in the form that docs/messages.md gives them, in each place where a message may have
them, whatever the database's settings; and are found unchanged at the next run."""

import json
import re

import pytest

from support.cluster import ROOT
from support.database import call
from support.running import fresh_name
from support.values import NULLS, TYPES, VALUES

# Not one of which may be seen in a message.
SETTINGS = {
    "TimeZone": "Asia/Kathmandu", "DateStyle": "German, DMY", "IntervalStyle": "iso_8601", "bytea_output": "escape",
    "extra_float_digits": "-3", "xmlbinary": "hex", "quote_all_identifiers": "on",
}

COLUMNS = {f"c{i}": value for i, value in enumerate(VALUES)}


@pytest.fixture
def values(database):
    database.analyst.execute(TYPES)
    columns = ", ".join(f"{column} {value.type}" for column, value in COLUMNS.items())
    literals = ", ".join(value.sql for value in VALUES)
    database.analyst.execute(f"CREATE TABLE vals (id integer PRIMARY KEY, extra integer, {columns})")
    database.analyst.execute(f"INSERT INTO vals VALUES (1, 0, {literals})")
    return database


@pytest.fixture(params=["usual", "odd"])
def settings(request, values):
    if request.param == "odd":
        set_oddly(values)


def set_oddly(database):
    """Settings of the database are those of the processes that are started in it from now on."""
    for name, value in SETTINGS.items():
        database.admin.execute(f"ALTER DATABASE {database.name} SET {name} = '{value}'")
    for worker in database.processes("worker"):
        database.admin.execute("SELECT pg_terminate_backend(%s)", (worker,))


def lines(of, columns=COLUMNS):
    """JSON with a line for each column, whose value is what `of` makes of the column."""
    return "{\n" + ",\n".join(f'"{name}": {of(name)}' for name in columns) + "\n}"


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def only_body(queue):
    [message] = queue.drain()
    return message.body


@pytest.mark.e2e
def test_in_fields_each_value_has_its_documented_form(values, settings, queue):
    values.create_sync("vals", queue.name, model="vals", fields=json.dumps(list(COLUMNS)), attributes={})
    assert values.run("vals").state == "succeeded"
    members = re.split(r',(?="c\d+":)', only_body(queue)[1:-1])
    assert members == [f'"{name}":{value.field}' for name, value in COLUMNS.items()]


def test_in_a_template_each_value_has_its_documented_form_in_a_string_and_outside(values, settings, queue):
    bare = {name: value for name, value in COLUMNS.items() if value.json is not None}
    values.create_sync("vals", queue.name, model="vals", attributes={},
                       template=lines('"{{{{row.{}}}}}"'.format) + "\n", events="{added}")
    values.create_sync("bare", queue.name, model="vals", attributes={}, template=lines("{{{{row.{}}}}}".format, bare))
    assert values.run("vals").state == "succeeded"
    assert only_body(queue).splitlines() == lines(lambda name: quoted(COLUMNS[name].text)).splitlines()
    assert values.run("bare").state == "succeeded"
    assert only_body(queue).splitlines() == lines(lambda name: bare[name].json, bare).splitlines()


def test_a_body_column_and_attributes_have_each_value_as_text_and_a_binary_has_a_byteas_bytes(values, queue):
    for name, value in COLUMNS.items():
        attributes = {"column": name, "text": f"{{{{row.{name}}}}}"}
        if is_number_for_sqs(value):
            attributes["number"] = {"type": "Number", "value": f"{{{{row.{name}}}}}"}
        if value.text != "\\x":
            attributes["bytes"] = {"type": "Binary", "value": f"{{{{row.{name}}}}}"}
        values.create_sync(name, queue.name, model="vals", body_column=name, attributes=attributes,
                           format="text" if value.json in (None, "null") else "json")
        values.start_run(name)
    for run_id in range(1, len(COLUMNS) + 1):
        run = values.wait_for(run_id)
        assert (run.state, run.published) == ("succeeded", 1), (run.sync, values.rejections(run.sync))
    messages = {message.attributes["column"]: message for message in queue.drain()}
    for name, value in COLUMNS.items():
        told = messages[name]
        as_bytes = bytes.fromhex(value.text[2:]) if value.type == "bytea" else value.text.encode()
        assert (told.body, told.attributes["text"]) == (value.text, value.text), value.type
        assert told.attributes.get("bytes", b"") == as_bytes, value.type
        assert told.attributes.get("number") == (value.text if is_number_for_sqs(value) else None)


def is_number_for_sqs(value):
    return value.json not in (None, "null") and re.fullmatch(r"-?[0-9.]{1,38}(e[+-]?[0-9]{1,2})?", value.text)


def test_null_is_null_in_json_and_nothing_in_a_text_and_a_rejection_where_sqs_wants_something(database, queue):
    database.analyst.execute(TYPES)
    columns = [f"n{i}" for i in range(len(NULLS))]
    database.analyst.execute(f"CREATE TABLE nulls (id integer PRIMARY KEY,"
                             f" {', '.join(f'{name} {kind}' for name, kind in zip(columns, NULLS))})")
    database.analyst.execute("INSERT INTO nulls VALUES (1)")

    def told(**message):
        name = fresh_name("nulls")
        database.create_sync(name, queue.name, model="nulls", **{"attributes": {}, **message})
        database.run(name)
        return [m.body for m in queue.drain()], [r.code for r in database.rejections(name)]

    assert told(fields=json.dumps(columns)) == (["{" + ",".join(f'"{name}":null' for name in columns) + "}"], [])
    assert told(template=lines("{{{{row.{}}}}}".format, columns)) == ([lines(lambda _: "null", columns)], [])
    assert told(template=lines('"{{{{row.{}}}}}"'.format, columns)) == ([lines(lambda _: '""', columns)], [])
    for name in columns:
        assert told(body_column=name) == ([], ["null_body"])
    for kind, column in (("String", "text"), ("Number", "numeric"), ("Binary", "bytea")):
        value = f"{{{{row.{columns[NULLS.index(column)]}}}}}"
        assert told(fields='["id"]', attributes={"a": {"type": kind, "value": value}}) == ([], ["empty_attribute"])


def test_values_are_found_unchanged_and_are_written_the_same_of_rows_told_before(values, queue):
    template = lines('"{{{{old.{0}}}}}{{% if event == "removed" %}}{{{{row.{0}}}}}{{% endif %}}"'.format)
    values.create_sync("vals", queue.name, model="vals", template='{"changed": {{changed_columns}}, "old": ' + template + "}",
                       attributes={})
    assert values.run("vals").rows_added == 1
    queue.drain()
    set_oddly(values)
    values.analyst.execute("UPDATE vals SET id = id")
    again = values.run("vals")
    assert (again.state, again.rows_changed, again.published) == ("succeeded", 0, 0)

    values.analyst.execute("UPDATE vals SET extra = 1")
    assert values.run("vals").rows_changed == 1
    told = only_body(queue)
    assert told.splitlines() == expected_of_old(lambda value: value.text, '["extra"]')
    values.analyst.execute("DELETE FROM vals")
    assert values.run("vals").rows_removed == 1
    assert only_body(queue).splitlines() == expected_of_old(lambda value: value.text * 2, "[]")


def test_a_condition_and_compare_take_columns_of_every_type(values, queue):
    same = " AND ".join(f"{name}::text = old.{name}::text" for name in COLUMNS)
    values.create_sync("vals", queue.name, model="vals", fields='["extra"]', attributes={}, compare="* except id")
    call(values.analyst, "sqs_sync_on", name="vals", event="changed", condition=f"{same} AND extra > old.extra")
    values.run("vals")
    queue.drain()
    values.analyst.execute("UPDATE vals SET extra = 1")
    run = values.run("vals")
    assert (run.rows_changed, run.published) == (1, 1), run.error
    values.alter_sync("vals", compare="* except extra")
    values.analyst.execute("UPDATE vals SET extra = 2")
    assert values.run("vals").rows_changed == 0, "what is compared is hashed again, and is as it was told"


def test_every_type_that_the_page_on_messages_names_is_among_these():
    page = (ROOT / "docs/messages.md").read_text()
    table = page[page.index("| type | form |"):page.index("```sql", page.index("| type | form |"))]
    named = {name for row in table.splitlines()[2:] if row for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    assert len(named) > 25
    shown = {re.sub(r"\(.*\)", "", value.type) for value in VALUES} | {value.text for value in VALUES}
    other_names = {"timestamp with time zone": "timestamptz"}
    assert {name for name in named if re.sub(r"\(.*\)", "", other_names.get(name, name)) not in shown} == set()


def expected_of_old(of, changed):
    old = lines(lambda name: quoted(of(COLUMNS[name])))
    return ('{"changed": ' + changed + ', "old": ' + old + "}").splitlines()


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


def test_json_that_is_one_text_or_null_is_that_in_a_template_and_letter_for_letter_elsewhere(database, queue):
    database.analyst.execute("CREATE TABLE docs AS SELECT 1 AS id, json ' \"te\\\"xt\"' AS a, json 'null' AS n")
    database.create_sync("docs", queue.name, model="docs", attributes={},
                         template='{"a": "{{row.a}}", "b": {{row.a | json}}, "n": "{{row.n}}", "m": {{row.n}}}')
    assert database.run("docs").state == "succeeded"
    assert only_body(queue) == '{"a": "te\\"xt", "b": "te\\"xt", "n": "", "m": null}'
    database.create_sync("body", queue.name, model="docs", attributes={}, body_column="a")
    assert database.run("body").state == "succeeded"
    assert only_body(queue) == ' "te\\"xt"'


def test_a_row_whose_type_is_altered_within_a_statement_is_hashed_as_what_it_is(database):
    """What was a pointer to a text is a number then: read as a pointer it would lead anywhere."""
    database.analyst.execute("""
        CREATE TYPE thing AS (a text, b bigint);
        CREATE FUNCTION thing(n integer) RETURNS record LANGUAGE plpgsql AS $$
        DECLARE r record;
        BEGIN
          IF n = 2 THEN EXECUTE 'ALTER TYPE thing ALTER ATTRIBUTE a TYPE bigint'; END IF;
          EXECUTE format('SELECT t FROM (SELECT ROW(%L, 4611)::thing) AS s (t)', CASE n WHEN 1 THEN 'x' ELSE '4611686018427387903' END) INTO r;
          RETURN r.t;
        END $$""")
    hashes = database.rows("SELECT sqs_sync.row_hash(thing(n)) FROM generate_series(1, 3) n")
    assert hashes[1] == hashes[2] == database.row("SELECT sqs_sync.row_hash(ROW(4611686018427387903, 4611::bigint))")
    assert hashes[0] == database.row("SELECT sqs_sync.row_hash(ROW('x'::text, 4611::bigint))")


def test_rows_of_several_types_and_with_dropped_columns_have_a_hash(database):
    database.analyst.execute("""
        CREATE TABLE things (a integer, gone text, b text);
        INSERT INTO things VALUES (1, 'x', 'y');
        ALTER TABLE things DROP gone;
        CREATE FUNCTION either(n integer) RETURNS record LANGUAGE plpgsql AS $$
        DECLARE t things; r record;
        BEGIN
          IF mod(n, 2) = 0 THEN SELECT * INTO t FROM things; RETURN t; END IF;
          SELECT n, now() INTO r;
          RETURN r;
        END $$""")
    rows = database.rows("SELECT sqs_sync.row_hash(either(n)) FROM generate_series(1, 4) n")
    assert rows[1] == rows[3] == database.row("SELECT sqs_sync.row_hash(ROW(1, 'y'::text))")
    assert len(set(rows)) == 3
