"""What the owner or a DBA does to a model, its role and its tables under a sync. (Columns: test_columns. Our tables:
test_errors, test_attacks_tables. Owners of views: test_rights.) docs/operations.md has the table."""

import psycopg
import pytest

from support.items import BODIES
from support.replay import Replay


@pytest.fixture
def synced(database, items, queue):
    items.fill(10)
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    assert database.run("items").published == 10
    database.consumer = Replay().apply(queue.drain())
    return database


def is_told(database, items, queue):
    return database.consumer.apply(queue.drain()).rows == items.expected()


def test_a_view_that_is_replaced_tells_what_its_rows_say(synced, items, queue):
    synced.analyst.execute("""
        CREATE OR REPLACE VIEW item_rows AS SELECT id, upper(name) AS name, amount, note,
          json_build_object('id', id, 'name', upper(name), 'amount', amount, 'note', note)::text AS message
        FROM items WHERE id > 2""")
    run = synced.run("items")
    assert (run.rows_added, run.rows_changed, run.rows_removed) == (0, 8, 2)
    assert is_told(synced, items, queue)


def test_a_view_that_is_dropped_fails_the_run_and_made_again_tells_nothing_new(synced, items, queue):
    definition = synced.value("SELECT pg_get_viewdef('item_rows')")
    synced.analyst.execute("DROP VIEW item_rows")
    run = synced.run("items")
    assert (run.state, run.sqlstate) == ("failed", "42P01") and run.hint
    synced.analyst.execute(f"CREATE VIEW item_rows AS {definition}")
    assert synced.run("items").published == 0
    assert queue.drain() == []


def test_a_table_that_is_rewritten_or_swapped_with_the_same_rows_tells_nothing(synced, queue):
    synced.analyst.execute("""
        BEGIN; CREATE TABLE fresh (LIKE items INCLUDING ALL); INSERT INTO fresh SELECT * FROM items;
        ALTER TABLE items RENAME TO stale; ALTER TABLE fresh RENAME TO items;
        CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note,
          json_build_object('id', id, 'name', name, 'amount', amount, 'note', note)::text AS message FROM items;
        DROP TABLE stale; COMMIT""")
    synced.admin.execute("VACUUM FULL items")
    assert synced.run("items").published == 0
    assert queue.drain() == []


def test_a_key_that_is_no_longer_unique_is_neither_told_nor_removed_and_the_others_are(synced, items, queue):
    synced.analyst.execute("ALTER TABLE items DROP CONSTRAINT items_pkey; INSERT INTO items VALUES (3, 'twice', 1, 'x'); UPDATE items SET name = 'new' WHERE id = 4")
    run = synced.run("items")
    assert (run.state, run.published) == ("partly_failed", 1)
    assert [(rejection.code, rejection.rows) for rejection in synced.rejections("items")] == [("duplicate_key", 2)]
    synced.analyst.execute("DELETE FROM items WHERE name = 'twice'")
    assert synced.run("items").state == "succeeded"
    assert is_told(synced, items, queue)


def test_rights_that_are_taken_from_the_owner_fail_the_run_and_given_back_it_goes_on(synced, items, queue):
    synced.admin.execute("ALTER TABLE items OWNER TO postgres; REVOKE ALL ON items FROM analyst")
    run = synced.run("items")
    assert (run.state, run.sqlstate) == ("failed", "42501") and "items" in run.error
    assert queue.drain() == []
    synced.admin.execute("GRANT ALL ON items TO analyst")
    items.set_name(1, "new")
    assert synced.run("items").published == 1
    assert is_told(synced, items, queue)


def test_usage_of_the_server_that_is_revoked_fails_the_run(synced, items, queue):
    items.set_name(1, "new")
    synced.admin.execute("REVOKE USAGE ON FOREIGN SERVER sqs FROM analyst")
    run = synced.run("items")
    assert (run.state, run.sqlstate) == ("failed", "42501") and "sqs" in run.error
    assert queue.drain() == []
    synced.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO analyst")
    assert synced.run("items").state == "succeeded"
    assert is_told(synced, items, queue)


@pytest.fixture
def of_leaver(synced, queue):
    """A sync whose owner leaves."""
    synced.admin.execute("CREATE ROLE leaver LOGIN; GRANT CREATE ON SCHEMA public TO leaver; GRANT USAGE ON FOREIGN SERVER sqs TO leaver;"
                         "CREATE USER MAPPING FOR leaver SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
    leaver = synced.connection_of("leaver")
    leaver.execute("CREATE TABLE left_behind (id integer PRIMARY KEY, name text); INSERT INTO left_behind VALUES (1, 'one')")
    synced.create_sync("left", queue.name, model="left_behind", connection=leaver, template='{"name": "{{row.name}}"}')
    leaver.close()
    assert run_as_superuser(synced, "left") == "succeeded"
    queue.drain()
    yield synced
    if synced.admin.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'leaver'").fetchone()[0]:
        synced.admin.execute("DROP USER MAPPING IF EXISTS FOR leaver SERVER sqs; DROP OWNED BY leaver; DROP ROLE leaver")


def run_as_superuser(database, name):
    run_id = database.admin.execute("SELECT sqs_sync_run(%s)", (name,)).fetchone()[0]
    return database.admin.execute("SELECT sqs_sync_wait(%s, '60 seconds')", (run_id,)).fetchone()[0]


def test_an_owner_cannot_be_dropped_and_what_he_owns_can_be_handed_on(of_leaver, queue):
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        of_leaver.admin.execute("DROP ROLE leaver")
    of_leaver.admin.execute("REASSIGN OWNED BY leaver TO analyst; DROP OWNED BY leaver; DROP ROLE leaver")

    assert of_leaver.value("SELECT owner FROM sqs_sync.syncs WHERE name = 'left'") == "analyst"
    of_leaver.analyst.execute("UPDATE left_behind SET name = 'new'")
    assert of_leaver.run("left").published == 1
    assert [message.body for message in queue.drain()] == ['{"name": "new"}']


def test_an_owner_whose_things_are_dropped_leaves_a_sync_that_fails_and_that_a_superuser_can_drop(of_leaver, queue):
    of_leaver.admin.execute("DROP OWNED BY leaver; DROP ROLE leaver")
    with pytest.raises(psycopg.errors.UndefinedTable):
        of_leaver.admin.execute("SELECT sqs_sync_run('left')")
    assert of_leaver.admin.execute("SELECT owner FROM sqs_sync.syncs WHERE name = 'left'").fetchone() == (None,)
    of_leaver.admin.execute("SELECT sqs_sync_drop('left')")
    assert of_leaver.run("items").published == 0
    assert queue.drain() == []
