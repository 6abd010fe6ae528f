"""Which columns make a row changed."""

import json

import pytest
from psycopg import errors


@pytest.fixture
def people(database):
    database.analyst.execute("""
        CREATE TABLE person (id integer PRIMARY KEY, name text, age integer, updated_at timestamptz DEFAULT now());
        INSERT INTO person SELECT i, 'p' || i, i FROM generate_series(1, 5) i""")
    return database


def create(database, queue, **options):
    database.create_sync("people", queue.name, model="person",
                         template='{"name": "{{row.name}}", "age": {{row.age}}, "was": "{{old.age}}"}', **options)
    assert database.run("people").published == 5
    queue.drain()


def touch(database, change):
    database.analyst.execute(f"UPDATE person SET {change}, updated_at = clock_timestamp()")
    return database.run("people").published


@pytest.mark.parametrize("compare", ["name, age", "* except updated_at", "*EXCEPT updated_at", '* except "updated_at"'])
def test_a_column_that_is_not_compared_makes_no_row_changed(people, queue, compare):
    create(people, queue, compare=compare)
    assert touch(people, "id = id") == 0
    assert touch(people, "age = age + 1") == 5
    assert touch(people, "name = name || '!'") == 5


def test_a_column_that_is_not_compared_is_told_with_the_next_change_and_old_is_what_was_told(people, queue):
    create(people, queue, compare="name")
    assert touch(people, "age = 99") == 0
    people.analyst.execute("UPDATE person SET name = 'renamed' WHERE id = 2")
    assert people.run("people").published == 1
    [message] = queue.drain()
    assert json.loads(message.body) == {"name": "renamed", "age": 99, "was": "2"}


def test_added_and_removed_rows_are_told_whatever_is_compared(people, queue):
    create(people, queue, compare="id")
    assert touch(people, "name = 'x', age = 0") == 0
    people.analyst.execute("DELETE FROM person WHERE id < 3; INSERT INTO person VALUES (9)")
    assert people.run("people").published == 3


def test_comparing_other_columns_announces_nothing_but_what_differs_from_what_was_told(people, queue):
    create(people, queue, compare="name")
    people.analyst.execute("UPDATE person SET age = 99 WHERE id = 4")
    assert people.run("people").published == 0
    people.alter_sync("people", compare="name, age")
    assert people.run("people").published == 1, "age was told as 4"
    people.alter_sync("people", compare="age")
    assert people.run("people").published == 0
    for back in ({"compare": "*"}, {"reset": "{compare}"}):
        people.alter_sync("people", **back)
        assert people.run("people").published == 0
        assert touch(people, "id = id") == 5


def test_a_column_is_added_and_dropped_under_a_comparison(people, queue):
    create(people, queue, compare="* except updated_at")
    people.analyst.execute("ALTER TABLE person ADD town text DEFAULT 'here'")
    assert touch(people, "id = id") == 0
    assert touch(people, "town = 'there'") == 5
    people.analyst.execute("ALTER TABLE person DROP town, DROP updated_at")
    run = people.run("people")
    assert (run.state, run.sqlstate) == ("failed", "42703") and "updated_at" in run.error
    people.alter_sync("people", reset="{compare}")
    assert people.run("people").published == 0
    people.analyst.execute("UPDATE person SET age = 0 WHERE id = 1")
    assert people.run("people").published == 1


def test_a_dropped_column_that_was_not_compared_changes_no_hash(people, queue):
    create(people, queue, compare="name, age")
    before = people.rows("SELECT id, sqs_sync_hash FROM sqs_sync_data.snapshot_1 ORDER BY id")
    people.analyst.execute("ALTER TABLE person DROP updated_at")
    assert people.run("people").published == 0
    assert people.rows("SELECT id, sqs_sync_hash FROM sqs_sync_data.snapshot_1 ORDER BY id") == before


def test_a_model_whose_only_type_without_equality_is_not_compared(database, queue):
    database.analyst.execute("CREATE TABLE spot (id integer PRIMARY KEY, at point, doc xml); INSERT INTO spot VALUES (1, '(1,2)', '<a/>')")
    database.create_sync("spots", queue.name, model="spot", fields='["id"]', compare="at")
    assert database.run("spots").published == 1
    database.analyst.execute("UPDATE spot SET doc = '<b/>'")
    assert database.run("spots").published == 0
    database.analyst.execute("UPDATE spot SET at = '(1,3)'")
    assert database.run("spots").published == 1


@pytest.mark.parametrize("compare, error, says", [
    ("nonesuch", errors.UndefinedColumn, 'column "nonesuch" of compare does not exist'),
    ("* except nonesuch", errors.UndefinedColumn, 'column "nonesuch" of compare does not exist'),
    ("", errors.InvalidParameterValue, "compare is not a list of columns"),
    ("* exceptional", errors.InvalidParameterValue, "compare is not a list of columns"),
    ("name, name", errors.InvalidParameterValue, "appears twice in compare"),
    ("* except id, name, age, updated_at", errors.InvalidParameterValue, "leaves no column"),
])
def test_a_comparison_that_cannot_be_is_refused(people, queue, compare, error, says):
    with pytest.raises(error, match=says) as refused:
        people.create_sync("people", queue.name, model="person", fields='["id"]', compare=compare)
    assert refused.value.diag.message_hint or "twice" in says
    assert people.leftovers()[0].syncs == 0
