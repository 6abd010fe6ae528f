"""A run that would announce an implausible share of changes is held until somebody decides."""

import psycopg
import pytest

from support.database import call


@pytest.fixture
def rows(database, queue):
    """Four hundred rows that the queue has been told of, with the guard rail as it is by default."""
    database.analyst.execute("""
        CREATE TABLE row_of (id integer PRIMARY KEY, name text, area text DEFAULT 'north');
        INSERT INTO row_of SELECT i, 'n' || i FROM generate_series(1, 400) i""")
    database.create_sync("rows", queue.name, model="row_of", template='"{{row.name}}"', guard_share="30%")
    run = database.run("rows")
    assert (run.state, run.published) == ("succeeded", 400), "a first run is not held, however much it announces"
    queue.drain()
    return database


def held(database, run_id):
    return database.row("SELECT * FROM sqs_sync.held WHERE run_id = %s", run_id)


def decide(database, what, run_id):
    database.analyst.execute(f"SELECT sqs_sync_{what}(%s)", (run_id,))


REMOVE = "DELETE FROM row_of WHERE id <= 121"


@pytest.mark.parametrize("change, event, told_as", [
    ("INSERT INTO row_of SELECT i, 'more' FROM generate_series(1001, 1121) i", "added", '{"id": 1001}'),
    ("UPDATE row_of SET name = 'other' WHERE id <= 121", "changed", '{"id": 1}'),
    (REMOVE, "removed", '{"id": 1}')], ids=["added", "changed", "removed"])
def test_more_than_the_share_and_the_number_of_one_event_holds_the_run(rows, queue, change, event, told_as):
    rows.analyst.execute(change)
    run = rows.run("rows")
    assert (run.state, run.published, run.finished_at) == ("held", 0, None)
    assert f"121 rows as {event}" in run.error and "400 rows" in run.error and f"sqs_sync_approve({run.run_id})" in run.hint
    seen = held(rows, run.run_id)
    assert seen.told_rows == 400 and seen.reason == run.error
    assert {e: getattr(seen, f"rows_{e}") for e in ("added", "changed", "removed")} == \
        {e: getattr(run, f"rows_{e}") for e in ("added", "changed", "removed")} == \
        {"added": 0, "changed": 0, "removed": 0} | {event: 121}
    keys = getattr(seen, f"{event}_keys")
    assert told_as in keys and len(keys) == 5
    assert queue.drain() == []


@pytest.mark.parametrize("change", [
    "UPDATE row_of SET name = 'other' WHERE id <= 120",
    "UPDATE row_of SET name = 'other' WHERE id <= 120; DELETE FROM row_of WHERE id > 300;"
    " INSERT INTO row_of SELECT i, 'more' FROM generate_series(1001, 1100) i"],
    ids=["of one event", "of each"])
def test_what_passes_only_one_of_the_two_is_let_through(rows, change):
    """120 of 400 are 30%, and no more."""
    rows.analyst.execute(change)
    assert rows.run("rows").state == "succeeded"


def test_asked_again_it_is_the_same_run_and_nothing_has_moved(rows, queue):
    rows.analyst.execute(REMOVE)
    run = rows.run("rows")
    assert rows.run("rows").run_id == run.run_id
    rows.analyst.execute("INSERT INTO row_of SELECT i, 'n' || i FROM generate_series(1, 121) i")
    decide(rows, "approve", run.run_id)
    run = rows.wait_for(run.run_id)
    assert (run.state, run.published, run.rows_removed) == ("succeeded", 0, 0), "what was deleted is back, and was never told"
    assert queue.drain() == []


def test_an_approved_run_sends_what_it_finds_then_and_says_who_approved(rows, queue):
    rows.analyst.execute(REMOVE)
    run_id = rows.run("rows").run_id
    rows.analyst.execute("DELETE FROM row_of WHERE id = 122")
    rows.alter_sync("rows", template='"gone"')
    decide(rows, "approve", run_id)
    run = rows.wait_for(run_id)
    assert (run.state, run.published, run.rows_removed, run.approved_by) == ("succeeded", 122, 122, "analyst")
    assert {message.body for message in queue.drain()} == {'"gone"'}, "the definition of now"
    assert rows.rows("SELECT * FROM sqs_sync.held") == []
    assert rows.run("rows").published == 0


def test_what_has_grown_by_more_than_a_tenth_is_held_again(rows, queue):
    rows.analyst.execute(REMOVE)
    run_id = rows.run("rows").run_id
    rows.analyst.execute("DELETE FROM row_of WHERE id <= 134")
    decide(rows, "approve", run_id)
    run = rows.wait_for(run_id)
    assert (run.state, held(rows, run_id).rows_removed, run.approved_by) == ("held", 134, None)
    assert queue.drain() == []
    decide(rows, "approve", run_id)
    assert rows.wait_for(run_id).published == 134


def test_an_approval_is_of_its_event_alone(rows):
    rows.analyst.execute(REMOVE)
    run_id = rows.run("rows").run_id
    rows.analyst.execute("UPDATE row_of SET name = 'other'")
    decide(rows, "approve", run_id)
    run = rows.wait_for(run_id)
    assert run.state == "held" and "279 rows as changed" in run.error


def test_a_held_run_does_not_begin_while_a_call_that_keeps_runs_off_is_not_committed(rows):
    rows.analyst.execute(REMOVE)
    run_id = rows.run("rows").run_id
    other = rows.connection_of("analyst")
    other.execute("SET statement_timeout = '500ms'")
    with rows.analyst.transaction():
        assert call(rows.analyst, "sqs_sync_retry", name="rows") == 0
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("SELECT sqs_sync_approve(%s)", (run_id,))
    other.execute("SELECT sqs_sync_approve(%s)", (run_id,))
    other.close()
    assert rows.wait_for(run_id).published == 121


def test_a_discarded_run_sends_nothing_and_moves_nothing(rows, queue):
    rows.analyst.execute(REMOVE)
    run_id = rows.run("rows").run_id
    decide(rows, "discard", run_id)
    run = rows.run_row(run_id)
    assert (run.state, run.published, run.ended_by) == ("discarded", 0, "analyst") and run.finished_at
    again = rows.run("rows")
    assert (again.state, again.run_id > run_id) == ("held", True), "the model is what it was"
    assert queue.drain() == []


@pytest.mark.parametrize("rows_told", [3, 150])
def test_an_empty_model_is_always_held(database, queue, rows_told):
    database.analyst.execute("CREATE TABLE few (id integer PRIMARY KEY)")
    database.create_sync("few", queue.name, model="few", template="1", guard_share="100%", events="{added,changed}")
    assert database.run("few").state == "succeeded", "nothing was told yet"
    database.analyst.execute(f"INSERT INTO few SELECT generate_series(1, {rows_told}); ")
    run = database.run("few")
    if run.state == "held":
        decide(database, "approve", run.run_id)
        run = database.wait_for(run.run_id)
    assert run.published == rows_told
    database.analyst.execute("DELETE FROM few")
    run = database.run("few")
    assert run.state == "held" and f"the model is empty, and the queue has been told of {rows_told} rows" in run.error
    decide(database, "approve", run.run_id)
    assert database.wait_for(run.run_id).state == "succeeded"


def test_what_is_not_announced_does_not_count(rows):
    rows.analyst.execute("SELECT sqs_sync_off('rows', 'removed')")
    call(rows.analyst, "sqs_sync_on", name="rows", event="changed", condition="area = 'south'")
    rows.analyst.execute(REMOVE)
    rows.analyst.execute("UPDATE row_of SET name = 'other'")
    run = rows.run("rows")
    assert (run.state, run.rows_silent) == ("succeeded", 400)


@pytest.fixture
def spoilt(rows):
    """Two hundred rows more, which were let through, and rejected."""
    rows.alter_sync("rows", template="{{row.name}}", format="text")
    rows.analyst.execute("INSERT INTO row_of SELECT i, E'\\x01' FROM generate_series(1001, 1200) i")
    run_id = rows.run("rows").run_id
    decide(rows, "approve", run_id)
    assert rows.wait_for(run_id).rejected == 200
    return rows


def test_known_rejections_do_not_count(spoilt):
    run = spoilt.run("rows")
    assert (run.state, run.rejected, run.rows_added) == ("partly_failed", 200, 0)
    spoilt.analyst.execute("INSERT INTO row_of SELECT i, 'good' FROM generate_series(2001, 2121) i")
    run = spoilt.run("rows")
    assert run.state == "held" and "121 rows as added" in run.error
    keys = held(spoilt, run.run_id).added_keys
    assert len(keys) == 5 and all(key.startswith('{"id": 2') for key in keys), "what is shown is what counts"
    spoilt.analyst.execute("DELETE FROM row_of WHERE id > 2120")
    decide(spoilt, "approve", run.run_id)
    assert spoilt.wait_for(run.run_id).published == 120


def test_known_rejections_do_not_count_when_they_are_tried_again(spoilt):
    assert call(spoilt.analyst, "sqs_sync_retry", name="rows") == 200
    run = spoilt.run("rows")
    assert (run.state, run.rejected, run.still_rejected) == ("partly_failed", 200, 0)
    spoilt.alter_sync("rows", template='"mended"')
    run = spoilt.run("rows")
    assert (run.state, run.published) == ("succeeded", 200)


def test_rejected_rows_that_have_changed_count_and_those_that_have_not_do_not(spoilt):
    spoilt.analyst.execute("UPDATE row_of SET name = E'\\x02' WHERE id BETWEEN 1001 AND 1121")
    run = spoilt.run("rows")
    assert run.state == "held" and "121 rows as added" in run.error
    spoilt.analyst.execute("UPDATE row_of SET name = E'\\x01' WHERE id = 1121")
    decide(spoilt, "approve", run.run_id)
    run = spoilt.wait_for(run.run_id)
    assert (run.state, run.rejected, run.still_rejected) == ("partly_failed", 200, 80)


def test_the_rail_is_set_a_sync(rows):
    rows.analyst.execute("UPDATE row_of SET name = 'other' WHERE id <= 20")
    rows.alter_sync("rows", guard_share="1.5%", guard_rows=19)
    shown = rows.row("SELECT guard_share, guard_rows FROM sqs_sync.syncs")
    assert tuple(shown) == ("1.5%", 19)
    run = rows.run("rows")
    assert run.state == "held"
    decide(rows, "discard", run.run_id)

    rows.alter_sync("rows", guard_share="off")
    rows.analyst.execute("DELETE FROM row_of")
    assert rows.run("rows").published == 400

    rows.alter_sync("rows", reset="{guard_share,guard_rows}")
    assert tuple(rows.row("SELECT guard_share, guard_rows FROM sqs_sync.syncs")) == ("30%", 100)


@pytest.mark.parametrize("options, named", [({"guard_share": "lots"}, "guard_share"), ({"guard_share": "-1%"}, "guard_share"),
                                            ({"guard_share": "0.3"}, "guard_share"), ({"guard_share": "NaN%"}, "guard_share"),
                                            ({"guard_rows": -1}, "guard_rows")])
def test_a_rail_that_is_none_is_refused(rows, options, named):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=named):
        rows.alter_sync("rows", **options)


def test_a_watched_run_that_is_held_says_what_to_do(rows):
    rows.analyst.execute(REMOVE)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="held: .*121 rows as removed") as refused:
        rows.analyst.execute("CALL sqs_sync_run_and_wait('rows')")
    assert "sqs_sync_approve" in refused.value.diag.message_hint


def test_only_a_held_run_is_decided(rows):
    run_id = rows.value("SELECT max(run_id) FROM sqs_sync.runs")
    for what in ("approve", "discard"):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=f"run {run_id} is not held: it is succeeded"):
            decide(rows, what, run_id)


def test_a_column_of_another_type_is_held_by_the_same_mechanism(rows, queue):
    rows.analyst.execute("ALTER TABLE row_of ALTER area TYPE varchar(20)")
    run_id = rows.run("rows").run_id
    seen = held(rows, run_id)
    assert "area" in seen.reason and seen.told_rows is None
    decide(rows, "approve", run_id)
    assert rows.wait_for(run_id).state == "held", "it is still another type"
    rows.analyst.execute("ALTER TABLE row_of ALTER area TYPE text")
    decide(rows, "approve", run_id)
    run = rows.wait_for(run_id)
    assert (run.state, run.published) == ("succeeded", 0)


def test_who_created_altered_and_asked_is_recorded(rows):
    rows.admin.execute("SELECT sqs_sync_alter('rows', template => '1')")
    rows.admin.execute("UPDATE row_of SET name = 'other'")
    run_id = rows.start_run("rows")
    rows.wait_for(run_id)
    rows.admin.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    sync = rows.row("SELECT created_by, altered_by FROM sqs_sync.syncs")
    run = rows.run_row(run_id)
    assert (*sync, run.requested_by, run.state, run.ended_by) == ("analyst", "postgres", "analyst", "cancelled", "postgres")
