"""A model whose columns change."""

import pytest

VIEW = "CREATE OR REPLACE VIEW people AS SELECT {} FROM person"


@pytest.fixture
def people(database, queue):
    database.analyst.execute("""
        CREATE TABLE person (id integer PRIMARY KEY, name text, age integer, town text DEFAULT 'here');
        INSERT INTO person SELECT i, 'p' || i, i FROM generate_series(1, 20) i""")
    database.analyst.execute(VIEW.format("id, name, age"))
    database.create_sync("people", queue.name, model="people", template='{"name": "{{row.name}}"}')
    assert database.run("people").published == 20
    queue.drain()
    return database


def assert_silent(database, queue):
    run = database.run("people")
    assert (run.state, run.published) == ("succeeded", 0)
    assert queue.drain() == []


def test_an_added_column_is_adopted_silently(people, queue):
    people.analyst.execute(VIEW.format("id, name, age, town"))
    assert_silent(people, queue)

    people.analyst.execute("UPDATE person SET town = 'there' WHERE id = 5")
    people.alter_sync("people", template='{"town": "{{row.town}}"}')
    assert people.run("people").rows_changed == 1
    assert [message.body for message in queue.drain()] == ['{"town": "there"}']


def test_a_change_beside_an_added_column_is_found(people, queue):
    people.analyst.execute(VIEW.format("id, name, age, town"))
    people.analyst.execute("UPDATE person SET name = 'renamed' WHERE id = 5")
    assert people.run("people").rows_changed == 1
    assert [message.attributes["key"] for message in queue.drain()] == ["5"]


def test_a_dropped_column_announces_nothing(people, queue):
    people.analyst.execute("DROP VIEW people")
    people.analyst.execute(VIEW.format("id, name"))
    assert_silent(people, queue)

    people.analyst.execute("UPDATE person SET age = 0")
    assert_silent(people, queue)
    people.analyst.execute("UPDATE person SET name = 'renamed' WHERE id = 6")
    assert people.run("people").published == 1


def test_a_dropped_column_that_the_template_needs_fails_the_run(people):
    people.analyst.execute("DROP VIEW people")
    people.analyst.execute(VIEW.format("id, age"))
    run = people.run("people")
    assert run.state == "failed" and "name" in run.error and run.hint


def test_a_retyped_column_holds_the_run(people, queue):
    people.analyst.execute("DROP VIEW people")
    people.analyst.execute(VIEW.format("id, name, age::text AS age"))
    run = people.run("people")
    assert run.state == "held" and "age" in run.error and run.hint
    assert queue.drain() == []
    assert people.start_run("people") == run.run_id, "a held run is the one that is asked for again"

    people.analyst.execute("SELECT sqs_sync_cancel(%s)", (run.run_id,))
    assert people.wait_for(run.run_id).state in ("cancelled", "discarded")
    people.analyst.execute("DROP VIEW people")
    people.analyst.execute(VIEW.format("id, name, age"))
    assert_silent(people, queue)


def test_a_model_made_again_by_someone_else_is_not_read(people, queue):
    people.analyst.execute("DROP VIEW people")
    people.admin.execute("GRANT CREATE ON SCHEMA public TO other")
    people.connection_of("other").execute("CREATE VIEW people AS SELECT 1 AS id, 'x' AS name, 1 AS age")
    run = people.run("people")
    assert run.state in ("held", "failed") and "other" in run.error
    assert queue.drain() == []
