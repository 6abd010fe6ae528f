"""An attacker's model, asked for a preview: what it sees and does; and what he may ask himself."""

import psycopg
import pytest

from support.attacks import arm, confessions, taken
from support.items import BODIES

LOOKS = ["SELECT * FROM sqs_sync_preview('attack')", "SELECT * FROM sqs_sync_render('attack', '1')", "SELECT * FROM sqs_sync_test('attack')",
         "SELECT * FROM sqs_sync_check('attack')", "SELECT * FROM sqs_sync_explain('attack')"]


@pytest.fixture
def armed(database, items):
    arm(database)
    items.fill(3)
    return database


def trap(database, queue, body="public.grab()"):
    database.analyst.execute(f"""CREATE FUNCTION spring() RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN PERFORM {body}; RETURN 'x'; END $$""")
    database.analyst.execute("CREATE VIEW trap AS SELECT id, public.spring() AS name FROM public.items")
    database.create_sync("attack", queue.name, model="trap", template='"{{row.name}}"')
    database.admin.execute("DELETE FROM vault; DELETE FROM confession")


@pytest.mark.parametrize("look", LOOKS)
def test_a_superusers_look_runs_the_model_with_the_owners_rights(armed, queue, look):
    """session_user stays the superuser's, as in any command of his that runs another's code."""
    trap(armed, queue)
    armed.admin.execute(look).fetchall()
    assert {current for _, current in confessions(armed)} == {"analyst"}
    assert [how for _, how in taken(armed) if how != "trusting helper"] == []
    assert armed.admin.execute("SELECT current_user, session_user").fetchone() == ("postgres", "postgres")


@pytest.mark.parametrize("look", LOOKS)
def test_the_owners_own_look_gains_him_nothing(armed, queue, look):
    trap(armed, queue)
    armed.analyst.execute(look).fetchall()
    assert taken(armed) == []
    assert confessions(armed) <= {("analyst", "analyst")}


@pytest.mark.parametrize("look", LOOKS)
def test_what_the_model_sets_does_not_outlive_the_look(armed, queue, look):
    trap(armed, queue, "pg_catalog.set_config('search_path', 'evil', false), pg_catalog.set_config('row_security', 'off', false)")
    settings = "SELECT current_setting('search_path') AS path, current_setting('row_security') AS rows"
    before = armed.admin.execute(settings).fetchone()
    armed.admin.execute(look).fetchall()
    assert armed.admin.execute(settings).fetchone() == before


@pytest.mark.parametrize("inner", [look.replace("sqs_sync", "public.sqs_sync").replace("SELECT * FROM ", "(SELECT count(*) FROM ") + ")" for look in LOOKS]
                         + ["(SELECT count(*) FROM public.sqs_sync_queues('sqs'))"])
def test_a_model_cannot_look_at_itself(armed, queue, inner):
    """It would be read inside itself without end, or make the run wait for the network."""
    armed.analyst.execute(f"""CREATE FUNCTION spring() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM sqs_sync.syncs WHERE name = 'attack') THEN
            RETURN {inner}::text;
          END IF;
          RETURN 'x';
        END $$""")
    armed.analyst.execute("CREATE VIEW trap AS SELECT id, public.spring() AS name FROM public.items")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="within a security-restricted operation"):
        armed.create_sync("attack", queue.name, model="trap", template='"{{row.name}}"')


def test_a_model_that_fails_inside_a_check_leaves_nobody_elses_rights_behind(armed, queue):
    """The check goes on after the error, and so does the transaction that it is called in."""
    trap(armed, queue)
    armed.analyst.execute("CREATE OR REPLACE FUNCTION spring() RETURNS text LANGUAGE plpgsql AS"
                          " $$ BEGIN PERFORM public.grab(); RAISE EXCEPTION 'sprung'; END $$")
    with armed.admin.transaction():
        failed = [row.detail for row in armed.admin.execute("SELECT * FROM sqs_sync_check('attack')").fetchall() if row.ok is False]
        assert len(failed) == 1 and "sprung" in failed[0]
        assert armed.admin.execute("SELECT current_user, current_setting('search_path')").fetchone() == ("postgres", '"$user", public')
        armed.admin.execute("CREATE TABLE public.only_a_superuser_may () TABLESPACE pg_default")
    assert [how for _, how in taken(armed) if how != "trusting helper"] == []


def test_row_level_security_holds_in_a_preview(armed, queue):
    armed.admin.execute("""CREATE TABLE ledger (id integer PRIMARY KEY, belongs_to text);
        INSERT INTO ledger VALUES (1, 'analyst'), (2, 'postgres'); GRANT SELECT ON ledger TO analyst;
        ALTER TABLE ledger ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON ledger USING (belongs_to = current_user)""")
    armed.analyst.execute("CREATE VIEW mine AS SELECT * FROM ledger")
    armed.create_sync("mine", queue.name, model="mine", template='"x"')
    for connection in (armed.admin, armed.analyst):
        keys = connection.execute("SELECT key FROM sqs_sync_preview('mine')").fetchall()
        assert [row.key for row in keys] == ['{"id": 1}']
        with pytest.raises(psycopg.errors.NoDataFound):
            connection.execute("SELECT * FROM sqs_sync_render('mine', '2')")


@pytest.mark.parametrize("look", LOOKS)
def test_anothers_sync_is_refused_and_nothing_told_of_it(armed, queue, look):
    armed.create_sync("attack", queue.name, model="items", **BODIES["template"])
    with armed.connection_of("other") as other:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            other.execute(look)
    assert str(refused.value) == 'must be owner of sync "attack"'


def test_a_member_of_the_owners_role_sees_what_the_owner_sees(armed, queue):
    armed.create_sync("attack", queue.name, model="items", **BODIES["template"])
    armed.admin.execute("CREATE ROLE colleague LOGIN IN ROLE analyst")
    try:
        with armed.connection_of("colleague") as colleague:
            for look in LOOKS:
                assert colleague.execute(look).fetchall()
    finally:
        armed.admin.execute("DROP ROLE colleague")


@pytest.mark.parametrize("key", ["'; DROP TABLE items; --", "\\'); SELECT 1 --", '{"id": "1\'; SELECT public.grab()"}', '{"id": [1]}', '{"id": {"a": 1}}',
                                 "1 OR true", '{"id": 1, "id": 2}', "\x01", '"' * 1000, "[" * 60_000, '{"id": 1e400}'])
def test_a_key_is_never_read_as_sql_and_does_no_harm(armed, queue, key):
    armed.create_sync("attack", queue.name, model="items", template='"x"', attributes={})
    try:
        found = armed.analyst.execute("SELECT * FROM sqs_sync_render('attack', %s)", (key,)).fetchall()
        assert len(found) == 1
    except psycopg.OperationalError:
        raise
    except psycopg.Error as refused:
        assert refused.sqlstate[:2] in ("22", "02"), refused.sqlstate
    assert armed.value("SELECT count(*) FROM items") == 3 and taken(armed) == []


def test_null_arguments_are_refused_by_name(armed):
    for function, arguments in [("sqs_sync_preview", "NULL"), ("sqs_sync_preview", "NULL, NULL"), ("sqs_sync_render", "NULL, NULL, NULL"),
                                ("sqs_sync_test", "NULL, NULL, NULL"), ("sqs_sync_check", "NULL"), ("sqs_sync_explain", "NULL"),
                                ("sqs_sync_queues", "NULL, NULL")]:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not given"):
            armed.analyst.execute(f"SELECT * FROM {function}({arguments})")


def test_what_an_attacker_put_into_the_path_is_not_called(armed, queue):
    armed.create_sync("attack", queue.name, model="items", **BODIES["template"])
    armed.admin.execute("CREATE SCHEMA evil AUTHORIZATION analyst")
    armed.analyst.execute("""
        CREATE FUNCTION evil.eq(integer, integer) RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN PERFORM public.grab(); RETURN true; END $$;
        CREATE OPERATOR evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.eq);
        CREATE FUNCTION evil.row_number() RETURNS bigint LANGUAGE plpgsql AS
          $$ BEGIN PERFORM public.grab(); RETURN 1; END $$""")
    armed.admin.execute("SET search_path = evil, pg_catalog, public; DELETE FROM confession")
    for look in LOOKS:
        armed.admin.execute(look).fetchall()
    armed.admin.execute("RESET search_path")
    assert confessions(armed) == set() and taken(armed) == []
