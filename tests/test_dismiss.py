"""A rejected row that nobody wants to be told, as it is: dismissed, until it changes."""

import psycopg
import pytest

from support.database import call
from support.deadline import wait_until

CONTROL = r"UPDATE items SET note = E'\x01' WHERE id = 2"


@pytest.fixture
def notes(database, items, queue):
    """Of three rows that are added, the second is rejected."""
    items.fill(3)
    database.analyst.execute(CONTROL)
    database.create_sync("notes", queue.name, model="item_rows", body_column="note")
    assert database.run("notes").rejected == 1
    queue.drain()
    return database


def ask(database, what, **options):
    return call(database.analyst, f"sqs_sync_{what}", name="notes", **options)


def dismissed(database):
    return database.rows("SELECT key, event, code, dismissed_by FROM sqs_sync.dismissed WHERE sync = 'notes' ORDER BY key")


BAD = [('{"id": 2}', "added", "invalid_character", "analyst")]


def test_a_dismissed_row_is_no_rejection_and_is_told_when_it_changes(notes, queue):
    assert ask(notes, "dismiss", preview=True) == 1 and len(notes.rejections("notes")) == 1
    assert ask(notes, "dismiss") == 1
    assert ask(notes, "dismiss") == ask(notes, "dismiss", preview=True) == 0
    assert notes.rejections("notes") == [] and dismissed(notes) == BAD
    for template in (None, "{{row.note}}"):
        if template:
            notes.alter_sync("notes", template=template, format="text")
        run = notes.run("notes")
        assert (run.state, run.rejected, run.dismissed, run.reasons, run.rows_added) == ("succeeded", 0, 1, {}, 0)
    assert notes.rows("SELECT * FROM sqs_sync_preview('notes', 10)") == [] and dismissed(notes) == BAD

    notes.analyst.execute(r"UPDATE items SET note = E'\x02' WHERE id = 2")
    run = notes.run("notes")
    assert (run.state, run.rejected, run.dismissed) == ("partly_failed", 1, 0) and dismissed(notes) == []
    assert ask(notes, "dismiss", key="2") == 1
    notes.analyst.execute("UPDATE items SET note = 'mended' WHERE id = 2")
    assert notes.run("notes").published == 1
    (message,) = queue.drain()
    assert (message.attributes["event"], message.body) == ("added", "mended"), "the queue knew nothing of it"
    assert dismissed(notes) == []


@pytest.mark.parametrize("mend", ["DELETE FROM items WHERE id = 2", "SELECT sqs_sync_baseline('notes')",
                                  "SELECT sqs_sync_off('notes', 'added')"])
def test_what_is_dismissed_goes_away_with_its_row_or_when_there_is_nothing_to_tell(notes, queue, mend):
    ask(notes, "dismiss")
    notes.analyst.execute(mend)
    run = notes.run("notes")
    assert (run.state, run.published, run.dismissed) == ("succeeded", 0, 0) and dismissed(notes) == []


def test_only_by_its_key_a_dismissed_row_is_tried_again(notes):
    ask(notes, "dismiss", code="invalid_character")
    assert ask(notes, "retry") == 0 and notes.run("notes").dismissed == 1
    assert ask(notes, "retry", key="2") == 1
    run = notes.run("notes")
    assert (run.rejected, run.still_rejected) == (1, 0) and notes.rejections("notes")[0].attempts == 2


def test_a_resync_tries_what_was_told_and_is_left_alone(notes):
    notes.analyst.execute(r"UPDATE items SET note = E'\x03' WHERE id IN (1, 3)")
    assert notes.run("notes").rejected == 3
    assert ask(notes, "dismiss", key="3") == 1

    def run(condition=None):
        ask(notes, "resync", preview=True)
        ask(notes, "resync", **({"condition": condition} if condition else {}))
        run = notes.run("notes")
        return run.rejected, run.still_rejected, run.dismissed

    assert run("id = 2") == (2, 2, 1), "the queue was never told of it"
    assert run("id = 1") == (2, 1, 1)
    assert run("id = 3") == (3, 2, 0)
    assert ask(notes, "dismiss") == 3 and run("id = 2") == (0, 0, 3)
    assert run() == (2, 0, 1) and [key for key, *_ in dismissed(notes)] == ['{"id": 2}']


def test_what_failed_for_its_queues_sake_can_be_dismissed(database, items, queue):
    items.fill(3)
    database.create_sync("notes", "{% if row.id == 2 %}nowhere{% else %}" + queue.name + "{% endif %}", model="item_rows", body_column="name")
    assert database.run("notes").reasons
    assert ask(database, "dismiss", key='{"id": 2}') == 1
    run = database.run("notes")
    assert (run.state, run.dismissed) == ("succeeded", 1)


def test_a_key_that_is_unfit_stays_dismissed_until_more_rows_have_it(database, queue):
    database.analyst.execute("CREATE TABLE loose (id integer, name text); CREATE VIEW loose_rows AS SELECT * FROM loose;"
                             " INSERT INTO loose VALUES (1, 'one'), (2, 'two'), (2, 'again'), (NULL, 'none')")
    database.create_sync("notes", queue.name, model="loose_rows", template="{{row.id}}")
    assert database.run("notes").rejected == 2
    assert ask(database, "dismiss") == 2
    run = database.run("notes")
    assert (run.state, run.rejected, run.dismissed, run.reasons) == ("succeeded", 0, 2, {}) and len(dismissed(database)) == 2
    assert ask(database, "retry", key='{"id": null}') == 1 and database.run("notes").reasons == {"null_key": 1}
    assert ask(database, "dismiss", key='{"id": null}') == 1 and database.run("notes").dismissed == 2
    database.analyst.execute("INSERT INTO loose VALUES (NULL, 'another')")
    run = database.run("notes")
    assert (run.rejected, run.reasons) == (1, {"null_key": 1})
    assert [key for key, *_ in dismissed(database)] == ['{"id": 2}']
    database.analyst.execute("DELETE FROM loose WHERE name = 'again'")
    assert database.run("notes").published == 1 and dismissed(database) == []


def test_nobody_retries_or_dismisses_under_a_run_and_no_model_does(notes, proxy):
    notes.point_at(proxy.endpoint)
    proxy.delay(2000)
    notes.analyst.execute("UPDATE items SET note = 'new' WHERE id = 1")
    run_id = notes.start_run("notes")
    wait_until(lambda: notes.run_row(run_id).state == "publishing", "the run publishes")
    for what in ("retry", "dismiss"):
        with pytest.raises(psycopg.errors.ObjectInUse, match=f"run {run_id} of sync"):
            ask(notes, what)
    assert ask(notes, "dismiss", preview=True) == 1
    proxy.pass_on()
    notes.wait_for(run_id)
    for what in ("retry", "dismiss"):
        notes.analyst.execute("CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note, note AS message FROM items"
                              f" WHERE public.sqs_sync_{what}('notes') >= 0")
        assert "security-restricted operation" in notes.run("notes").error
