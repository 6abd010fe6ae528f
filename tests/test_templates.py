"""Templates against the server: what costs much, and what the extension adds to the message crate."""

import time

import psycopg
import pytest

from support.deadline import wait_until

# Every row uses up all that a template may do.
COSTLY = "{% for a in (1..1000) %}{% for b in (1..1000) %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}{}"


@pytest.fixture
def costly(database, items, queue):
    items.fill(2000)
    database.create_sync("items", queue.name, model="item_rows", template=COSTLY)
    return database


def test_a_cancel_does_not_wait_for_costly_templates(costly):
    run_id = costly.start_run("items")
    wait_until(lambda: costly.run_row(run_id).state == "publishing", "the run publishes")
    start = time.monotonic()
    costly.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    assert costly.wait_for(run_id).state == "cancelled"
    # All rows of the batch would take minutes.
    assert time.monotonic() - start < 20
    rejections = costly.value("SELECT count(*) FROM sqs_sync.rejections WHERE code = 'interrupted'")
    assert rejections == 0


def test_a_row_that_costs_too_much_is_rejected_and_others_go_out(database, items, queue):
    items.fill(3)
    database.create_sync("items", queue.name, model="item_rows",
                         template="{% if row.id == 2 %}" + COSTLY + "{% else %}{\"id\": {{row.id}}}{% endif %}")
    run = database.run("items")
    assert (run.state, run.rejected) == ("partly_failed", 1)
    (code, reason), = database.rows("SELECT code, reason FROM sqs_sync.rejections")
    assert code == "template_too_costly"
    assert reason.startswith("template: line 1, column ")


def test_a_preview_of_costly_templates_can_be_cancelled(costly):
    costly.analyst.execute("SET statement_timeout = '1s'")
    start = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        costly.analyst.execute("SELECT * FROM sqs_sync_preview('items', 2000)")
    assert time.monotonic() - start < 20
    costly.analyst.execute("RESET statement_timeout")


def test_an_unknown_filter_and_an_unknown_column_are_told_when_a_sync_is_created(database, items, queue):
    for template, message, hint in [
        ('{"a": "{{ row.name | upcas }}"}', 'template: line 1, column 22: unknown filter "upcas"', "upcase"),
        ('{"a": "{{ row.nam }}"}', 'template: line 1, column 11: column "nam" is not in the model', "name"),
    ]:
        with pytest.raises(psycopg.Error) as raised:
            database.create_sync("items", queue.name, model="item_rows", template=template)
        assert message in raised.value.diag.message_primary
        assert hint in raised.value.diag.message_hint
