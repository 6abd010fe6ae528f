"""Which changes are published: an event's condition."""

import json

import pytest
from psycopg import errors

from support.database import call
from support.running import fresh_name


def with_orders(database, queue_name):
    database.analyst.execute("""
        CREATE TABLE orders (id integer PRIMARY KEY, state text, total numeric);
        INSERT INTO orders VALUES (1, 'new', 5), (2, 'new', 500), (3, 'paid', 50), (4, NULL, NULL)""")
    database.create_sync("orders", queue_name, model="orders",
                         template='{"id": {{row.id}}, "was": "{{old.state}}"}')
    return database


@pytest.fixture
def orders(database, queue):
    return with_orders(database, queue.name)


@pytest.fixture(scope="module")
def untouched(lasting_database):
    return with_orders(lasting_database, "orders")


def on(database, event, **options):
    call(database.analyst, "sqs_sync_on", name="orders", event=event, **options)


def told(queue):
    return sorted((m.attributes["event"], json.loads(m.body)["id"]) for m in queue.drain())


def counts(run):
    return run.state, run.published, run.rows_silent


def test_an_added_row_that_its_condition_leaves_out_moves_the_snapshot_silently(orders, queue):
    on(orders, "added", condition="total > 100")
    assert counts(orders.run("orders")) == ("succeeded", 1, 3)
    assert told(queue) == [("added", 2)]
    assert counts(orders.run("orders")) == ("succeeded", 0, 0)
    orders.analyst.execute("UPDATE orders SET total = 1000 WHERE id = 1")
    assert counts(orders.run("orders")) == ("succeeded", 1, 0)
    assert told(queue) == [("changed", 1)], "what was left out counts as told"


def test_a_condition_compares_the_row_with_what_was_told_of_it(orders, queue):
    on(orders, "changed", condition="state IS DISTINCT FROM old.state")
    orders.run("orders")
    queue.drain()
    orders.analyst.execute("UPDATE orders SET total = coalesce(total, 0) + 1")
    assert counts(orders.run("orders")) == ("succeeded", 0, 4)
    orders.analyst.execute("UPDATE orders SET state = 'sent' WHERE id IN (3, 4)")
    assert counts(orders.run("orders")) == ("succeeded", 2, 0)
    assert told(queue) == [("changed", 3), ("changed", 4)]


def test_what_a_condition_left_out_is_what_the_next_one_sees_as_old(orders, queue):
    orders.run("orders")
    queue.drain()
    on(orders, "changed", condition="total >= old.total + 10")
    for _ in range(3):
        orders.analyst.execute("UPDATE orders SET total = total + 6")
        assert orders.run("orders").published == 0


def test_a_removed_row_is_judged_by_its_last_known_contents(orders, queue):
    on(orders, "removed", condition="state = 'new' AND old.state = state")
    orders.run("orders")
    queue.drain()
    orders.analyst.execute("DELETE FROM orders WHERE id IN (1, 3, 4)")
    assert counts(orders.run("orders")) == ("succeeded", 1, 2)
    assert told(queue) == [("removed", 1)]
    orders.analyst.execute("INSERT INTO orders VALUES (3, 'paid', 50)")
    assert orders.run("orders").rows_added == 1, "a row left out has left the snapshot"


def test_old_is_null_throughout_for_an_added_row(orders, queue):
    on(orders, "added", condition="old.id IS NULL AND old.state IS NULL AND id < 3")
    assert orders.run("orders").published == 2
    assert told(queue) == [("added", 1), ("added", 2)]


def test_each_event_has_its_own_condition_and_the_order_stays(orders, emulator):
    fifo = emulator.create_queue(fresh_name("orders") + ".fifo")
    orders.alter_sync("orders", queue=fifo.name, group_id="all", order_by="id desc")
    on(orders, "added", condition="id <> 2")
    on(orders, "removed", condition="id <> 4")
    orders.run("orders")
    assert [json.loads(m.body)["id"] for m in fifo.drain()] == [4, 3, 1]
    orders.analyst.execute("DELETE FROM orders WHERE id > 1; UPDATE orders SET total = 0; INSERT INTO orders VALUES (9)")
    assert counts(orders.run("orders")) == ("succeeded", 4, 1)
    assert [json.loads(m.body)["id"] for m in fifo.drain()] == [9, 3, 2, 1]


def test_a_condition_may_read_what_the_owner_may_and_is_evaluated_once_a_row(orders, queue):
    orders.analyst.execute("""
        CREATE TABLE vip (id integer); INSERT INTO vip VALUES (2);
        CREATE SEQUENCE seen;
        CREATE FUNCTION coin() RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT nextval('public.seen') % 2 = 0 $$""")
    on(orders, "added", condition='EXISTS (SELECT FROM public.vip v WHERE v.id = "row".id)')
    assert orders.run("orders").published == 1
    on(orders, "changed", condition="public.coin()")
    orders.analyst.execute("UPDATE orders SET state = 'x'")
    assert counts(orders.run("orders")) == ("succeeded", 2, 2)
    assert orders.value("SELECT last_value FROM seen") == 4


def test_a_condition_runs_with_the_rights_of_the_models_owner_alone(orders):
    orders.admin.execute("CREATE TABLE hidden (id integer); REVOKE ALL ON hidden FROM PUBLIC")
    with pytest.raises(errors.InsufficientPrivilege):
        on(orders, "added", condition="EXISTS (SELECT FROM public.hidden)")
    orders.analyst.execute("""
        CREATE FUNCTION whose() RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN RETURN current_user = 'analyst' AND session_user <> 'postgres'; END $$""")
    on(orders, "added", condition="public.whose()")
    assert orders.run("orders").published == 4


WRONG = {
    "true), (false": errors.SyntaxError,
    "true) FROM pg_class WHERE (true": errors.SyntaxError,
    "true); DROP TABLE orders; SELECT (true": errors.SyntaxError,
    "true) UNION SELECT (true": errors.SyntaxError,
    "true /*": errors.SyntaxError,
    "": errors.SyntaxError,
    "total": errors.DatatypeMismatch,
    "count(*) > 1": errors.GroupingError,
    "generate_series(1, 2) = 1": errors.FeatureNotSupported,
    "nonesuch > 1": errors.UndefinedColumn,
    "old.nonesuch > 1": errors.UndefinedColumn,
    "$1 > 1": errors.UndefinedParameter,
    "nonesuch(id)": errors.UndefinedFunction,
    "EXISTS (WITH gone AS (DELETE FROM public.orders RETURNING 1) SELECT FROM gone)": errors.FeatureNotSupported,
}


@pytest.mark.parametrize("condition", WRONG)
def test_a_condition_that_is_not_one_boolean_expression_over_the_columns_is_refused(untouched, condition):
    with pytest.raises(WRONG[condition]) as refused:
        on(untouched, "added", condition=condition)
    assert "condition" in refused.value.diag.message_primary and "orders" in refused.value.diag.message_primary
    assert refused.value.diag.message_hint
    assert untouched.value("SELECT version FROM sqs_sync.syncs WHERE name = 'orders'") == 1


def test_a_comment_at_the_end_of_a_condition_is_one(orders):
    on(orders, "added", condition="total > 100 -- the large ones")
    assert orders.run("orders").published == 1


def test_a_condition_that_fails_for_a_row_fails_the_run_and_tells_nothing(orders, queue):
    on(orders, "added", condition="1 / (id - 3) > 0")
    run = orders.run("orders")
    assert (run.state, run.sqlstate) == ("failed", "22012")
    assert run.error.startswith('sync "orders": condition: ') and run.hint
    assert queue.drain() == []
    on(orders, "added", reset="{condition}")
    assert orders.run("orders").published == 4


def test_a_condition_is_shown_kept_and_reset(orders):
    on(orders, "added", condition="total > 100")
    on(orders, "added", delay_seconds="1")
    [row] = orders.rows("SELECT * FROM sqs_sync.events WHERE sync = 'orders' AND event = 'added'")
    assert (row.condition, row.own) == ("total > 100", {"delay_seconds": "1"})
    with pytest.raises(errors.InvalidParameterValue, match="condition is given, and in reset too"):
        on(orders, "added", condition="true", reset="{condition}")
    on(orders, "added", reset="{condition,delay_seconds}")
    [row] = orders.rows("SELECT * FROM sqs_sync.events WHERE sync = 'orders' AND event = 'added'")
    assert (row.condition, row.own) == (None, {})


def test_an_initial_run_that_skips_asks_no_condition(database, queue):
    database.analyst.execute("CREATE TABLE orders (id integer PRIMARY KEY); INSERT INTO orders VALUES (1)")
    database.create_sync("orders", queue.name, model="orders", fields='["id"]', initial="skip")
    on(database, "added", condition="1 / (id - 1) > 0")
    assert counts(database.run("orders")) == ("succeeded", 0, 1)


def test_what_a_condition_left_out_is_not_in_the_change_set_of_a_run_that_ends_early(orders, queue):
    """Left-out changes are adopted with the diff, whatever becomes of the messages."""
    on(orders, "added", condition="id <> 1")
    orders.point_at("http://127.0.0.1:9")
    orders.alter_sync("orders", retry_for="0 seconds")
    assert orders.run("orders").state == "failed"
    assert orders.value("SELECT count(*) FROM sqs_sync_data.snapshot_1") == 1
    assert orders.value("SELECT count(*) FROM sqs_sync_data.changes_1 WHERE sqs_sync_change_id < 0") == 0
    orders.point_at(orders.endpoint)
    assert orders.run("orders").published == 3
