"""The owner of a sync owns its tables. What he does to them must show before anything is sent:
an acknowledgement that fails after a send would send the same batch for ever."""

import psycopg
import pytest

from support.attacks import arm, taken, tables_of
from support.deadline import wait_until
from support.items import BODIES

# What is done to the snapshot {s} or the change set {c}, which are plain otherwise.
TAMPERED = {
    "a trigger on the snapshot": "CREATE TRIGGER t BEFORE INSERT ON {s} FOR EACH ROW EXECUTE FUNCTION refuse()",
    "a statement trigger on the snapshot": "CREATE TRIGGER t AFTER INSERT ON {s} FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    "a deferred trigger on the snapshot": "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON {s} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    "a trigger on the change set": "CREATE TRIGGER t BEFORE DELETE ON {c} FOR EACH ROW EXECUTE FUNCTION refuse()",
    "a rule on the snapshot": "CREATE RULE r AS ON INSERT TO {s} DO INSTEAD NOTHING",
    "a rule on the change set": "CREATE RULE r AS ON DELETE TO {c} DO INSTEAD NOTHING",
    "row-level security": "ALTER TABLE {s} ENABLE ROW LEVEL SECURITY; ALTER TABLE {s} FORCE ROW LEVEL SECURITY",
    "row-level security of the change set": "ALTER TABLE {c} ENABLE ROW LEVEL SECURITY; ALTER TABLE {c} FORCE ROW LEVEL SECURITY",
    "NOT NULL": "ALTER TABLE {s} ALTER amount SET NOT NULL",
    "CHECK": "ALTER TABLE {s} ADD CHECK (name <> 'item 3')",
    "CHECK on the change set": "ALTER TABLE {c} ADD CHECK (name <> 'item 3')",
    "a foreign key": "CREATE TABLE few (id integer PRIMARY KEY); ALTER TABLE {s} ADD FOREIGN KEY (id) REFERENCES few",
    "a foreign key to it": "CREATE TABLE many (id integer REFERENCES {s})",
    "a child table": "CREATE TABLE child () INHERITS ({s})",
    "a parent table": "CREATE TABLE parent (id integer NOT NULL); ALTER TABLE {s} INHERIT parent",
    "a default": "ALTER TABLE {s} ALTER name SET DEFAULT refuse_text()",
    "no primary key": "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE {s} DROP CONSTRAINT ' || quote_ident(conname) FROM pg_constraint WHERE conrelid = '{s}'::regclass AND contype = 'p'); END $$",
    "no right to insert": "REVOKE INSERT ON {s} FROM analyst",
    "no right to update": "REVOKE UPDATE ON {s} FROM analyst",
    "no right to delete from the change set": "REVOKE DELETE ON {c} FROM analyst",
    "a column of its own, NOT NULL": "ALTER TABLE {s} ADD COLUMN sqs_sync_mine integer NOT NULL",
    "a narrower column": "ALTER TABLE {s} ALTER amount TYPE numeric(1, 1)",
    "a narrower hash": "ALTER TABLE {s} ALTER sqs_sync_hash TYPE integer",
    "values that cannot be moved out of line": "ALTER TABLE {s} ALTER note SET STORAGE PLAIN",
    "an unlogged change set": "ALTER TABLE {c} SET UNLOGGED",
    "an unlogged snapshot": "ALTER TABLE {s} SET UNLOGGED",
}


@pytest.fixture
def synced(database, items, queue, proxy):
    items.fill(20)
    database.analyst.execute("INSERT INTO items SELECT 100, 'long', 1, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i")
    database.analyst.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a trigger'; END $$")
    database.analyst.execute("CREATE FUNCTION refuse_text() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a default'; END $$")
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", retry_for="1 second", **BODIES["template"])
    return database


def tamper(database, statement):
    snapshot, changes = tables_of(database, "items")
    database.analyst.execute(statement.replace("{s}", snapshot).replace("{c}", changes))


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED.keys())
def test_what_could_fail_the_acknowledgement_fails_the_run_before_anything_is_sent(synced, queue, proxy, statement):
    tamper(synced, statement)
    run = synced.run("items")
    assert (run.state, proxy.requests) == ("failed", 0), run.error
    assert run.hint


@pytest.mark.parametrize("statement", ["a trigger on the snapshot", "CHECK", "no primary key", "no right to insert"])
def test_what_is_in_doubt_is_not_sent_again_to_tables_that_cannot_take_the_answer(synced, queue, proxy, statement):
    proxy.cut()
    assert synced.run("items").in_doubt == 21
    proxy.pass_on()
    before = proxy.requests
    tamper(synced, TAMPERED[statement])
    run = synced.run("items")
    assert (run.state, proxy.requests - before) == ("failed", 0), run.error


@pytest.mark.parametrize("statement", ["a trigger on the snapshot", "CHECK"])
def test_tampering_while_a_run_publishes_stops_the_sending(database, items, queue, proxy, statement):
    items.fill(6000)
    database.analyst.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a trigger'; END $$")
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", retry_for="1 second", **BODIES["template"])
    proxy.throttle(20)
    run_id = database.start_run("items")
    wait_until(lambda: database.run_row(run_id).published > 0, "some are published")
    tamper(database, TAMPERED[statement].replace("ADD CHECK (name <> 'item 3')", "ADD CHECK (name <> 'x') NOT VALID"))
    run = database.wait_for(run_id)
    if run.state == "failed":
        proxy.pass_on()
        before = proxy.requests
        assert (database.run("items").state, proxy.requests - before) == ("failed", 0)
    else:
        assert run.state == "succeeded", run.error


def test_a_trigger_on_our_tables_gains_nothing(database, items, queue):
    """Fired at the end of a statement or at commit, where the rights could be others."""
    arm(database)
    items.fill(5)
    database.analyst.execute("CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.grab(); RETURN NULL; END $$")
    database.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    for table in tables_of(database, "items"):
        for when in ("", "DEFERRABLE INITIALLY DEFERRED"):
            database.analyst.execute(f"CREATE CONSTRAINT TRIGGER t{len(when)} AFTER INSERT OR UPDATE OR DELETE ON {table} {when}"
                                     " FOR EACH ROW EXECUTE FUNCTION fire()")
    database.run("items")
    database.analyst.execute("CREATE OR REPLACE VIEW item_rows AS SELECT id, name, amount, note, note AS message, 1 AS added FROM items")
    database.run("items")
    assert taken(database) == []


def test_a_deferred_trigger_of_a_table_that_the_model_writes_gains_nothing(database, items, queue):
    arm(database)
    items.fill(5)
    database.analyst.execute("""
        CREATE TABLE log (id integer);
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.grab(); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire();
        CREATE FUNCTION write(integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
          BEGIN INSERT INTO public.log VALUES ($1); EXCEPTION WHEN insufficient_privilege THEN NULL; END;
          BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT public.grab()'; EXCEPTION WHEN OTHERS THEN NULL; END;
          BEGIN EXECUTE 'CREATE TEMP TABLE pg_class (oid oid)'; EXCEPTION WHEN OTHERS THEN NULL; END;
          BEGIN EXECUTE 'PREPARE p AS SELECT 1'; EXCEPTION WHEN OTHERS THEN NULL; END;
          BEGIN EXECUTE 'LISTEN x'; EXCEPTION WHEN OTHERS THEN NULL; END;
          RETURN 'x'; END $$;
        """)
    try:
        database.create_sync("items", queue.name, model="SELECT id, write(id) AS name FROM items", template="1")
        database.run("items")
    except psycopg.errors.InsufficientPrivilege:
        pass
    assert taken(database) == []


def test_rows_that_the_owner_writes_into_the_change_set_crash_nothing(synced, queue):
    synced.run("items")
    snapshot, changes = tables_of(synced, "items")
    worker = synced.processes("worker")
    for statement in (f"INSERT INTO {changes} VALUES (9223372036854775807, 'added', false, 1, 1, 5)",
                      f"INSERT INTO {changes} VALUES (-5, 'nonsense', false, 1, 1, 6)",
                      f"INSERT INTO {changes} VALUES (0, '', true, 999, NULL, NULL)",
                      f"ALTER TABLE {changes} ALTER sqs_sync_event DROP NOT NULL; INSERT INTO {changes} VALUES (7, NULL, NULL, 1, NULL, 1)"):
        try:
            synced.analyst.execute(statement)
        except psycopg.Error:
            pass
        synced.run("items")
    for change in ("sqs_sync_event TYPE varchar(8)", "sqs_sync_hash TYPE numeric", "sqs_sync_change_id TYPE text"):
        try:
            synced.analyst.execute(f"ALTER TABLE {changes} ALTER {change}")
        except psycopg.Error:
            continue
        synced.analyst.execute("UPDATE items SET name = name || '!'")
        assert synced.run("items").state in ("failed", "held", "succeeded")
    for change in ("sqs_sync_hash TYPE text", "sqs_sync_hash_version TYPE text", "id TYPE text", "id TYPE bigint"):
        try:
            synced.analyst.execute(f"ALTER TABLE {snapshot} ALTER {change}")
        except psycopg.Error:
            continue
        assert synced.run("items").state in ("failed", "held", "succeeded")
    assert synced.processes("worker") == worker


# Locks ----------------------------------------------------------------------------------

def test_a_snapshot_locked_for_ever_fails_the_run_in_bounded_time(synced, proxy):
    snapshot, _ = tables_of(synced, "items")
    locker = synced.connection_of("analyst")
    proxy.delay(1000)
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).state == "publishing", "the run publishes")
    locker.execute("BEGIN")
    locker.execute(f"LOCK TABLE {snapshot}")
    run = synced.wait_for(run_id, "100 seconds")
    locker.close()
    assert run.state == "failed" and run.in_doubt == 21, run
    proxy.pass_on()
    assert synced.run("items").state == "succeeded"


@pytest.mark.parametrize("held", ["sqs_sync_cancel({run})", "sqs_sync_pause('items')"])
def test_a_transaction_left_open_on_a_sync_holds_its_run_up_in_bounded_time(synced, proxy, held):
    """The caller has locked a row that the runner writes, and goes to lunch."""
    locker = synced.connection_of("analyst")
    proxy.delay(1000)
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).state == "publishing", "the run publishes")
    locker.execute("BEGIN")
    locker.execute(f"SELECT {held.format(run=run_id)}")
    try:
        wait_until(lambda: not synced.processes("runner"), "the runner has come to an end", 50)
    finally:
        locker.close()
    proxy.pass_on()
    synced.wait_for(run_id)


def test_a_transaction_left_open_on_one_run_does_not_stop_the_worker(synced, queue, proxy):
    """The worker serves everyone: a row that one role keeps locked must not stop it."""
    admin = synced.admin
    for name in ("one", "two", "three"):
        synced.create_sync(name, queue.name, model="item_rows", retry_for="60 seconds", **BODIES["template"])
    proxy.delay(600_000)
    one, two = synced.start_run("one"), synced.start_run("two")
    wait_until(lambda: len(synced.processes("runner")) == 2, "both runners are busy")
    three = synced.start_run("three")
    wait_until(lambda: synced.run_row(three).waiting_for, "the third says what it waits for")
    locker = synced.connection_of("analyst")
    locker.execute("BEGIN")
    locker.execute("SELECT sqs_sync_cancel(%s)", (three,))
    proxy.pass_on()
    proxy.delay(0)
    for run_id in (one, two):
        synced.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    try:
        wait_until(lambda: synced.run_row(one).finished_at and synced.run_row(two).finished_at, "the first two have ended", 40)
        # Another role's sync.
        admin.execute("CREATE TABLE theirs AS SELECT 1 AS id")
        admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other; CREATE USER MAPPING FOR other SERVER sqs"
                      " OPTIONS (access_key_id 'test', secret_access_key 'test'); ALTER TABLE theirs OWNER TO other")
        other = synced.connection_of("other")
        synced.create_sync("theirs", queue.name, model="theirs", template="1", connection=other)
        run_id = other.execute("SELECT sqs_sync_run('theirs')").fetchone()[0]
        assert other.execute("SELECT sqs_sync_wait(%s, '20 s')", (run_id,)).fetchone()[0] == "succeeded"
        other.close()
    finally:
        locker.close()


def test_advisory_locks_of_others_hold_up_nothing(synced):
    locker = synced.connection_of("other")
    number = synced.admin.execute("SELECT sync_id FROM sqs_sync.sync").fetchone()[0]
    locker.execute("SELECT pg_advisory_lock(i) FROM unnest(%s::bigint[]) i", ([0, 1, number, 2 ** 32 + number],))
    locker.execute("SELECT pg_advisory_lock(i, j) FROM generate_series(0, 30) i, generate_series(0, 30) j")
    assert synced.run("items").state == "succeeded"
    locker.close()


# Transactions ---------------------------------------------------------------------------

def test_a_run_in_a_read_only_transaction_is_an_error(synced):
    synced.analyst.execute("BEGIN READ ONLY")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        synced.start_run("items")
    synced.analyst.execute("ROLLBACK")


def test_a_run_that_a_savepoint_took_back_is_none(synced):
    with synced.analyst.transaction():
        synced.analyst.execute("SAVEPOINT s")
        gone = synced.start_run("items")
        synced.analyst.execute("ROLLBACK TO s")
    assert synced.run_row(gone) is None
    assert synced.run("items").state == "succeeded"


def test_a_cancel_that_a_savepoint_took_back_cancels_nothing(synced, proxy):
    proxy.delay(1500)
    run_id = synced.start_run("items")
    wait_until(lambda: synced.run_row(run_id).state == "publishing", "the run publishes")
    with synced.analyst.transaction():
        synced.analyst.execute("SAVEPOINT s")
        synced.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
        synced.analyst.execute("ROLLBACK TO s")
    proxy.pass_on()
    assert synced.wait_for(run_id).state == "succeeded"


def test_a_run_of_a_prepared_transaction_begins_when_that_is_committed(synced):
    synced.analyst.execute("BEGIN")
    run_id = synced.start_run("items")
    synced.analyst.execute("PREPARE TRANSACTION 'run'")
    synced.analyst.execute("COMMIT PREPARED 'run'")
    assert synced.wait_for(run_id).state == "succeeded"
