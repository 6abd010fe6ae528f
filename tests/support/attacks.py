"""What an attacker is after, and how a test sees that he got it.

The vault is a table that only superusers may write: a row in it means that somebody's code ran
with rights that are not his. `grab` is the analyst's function that tries whatever could raise
his rights; it returns whom it was run by.
"""

VAULT = """
CREATE TABLE vault (taken_as text, how text);
CREATE TABLE confession (session text, "current" text, how text);
GRANT INSERT, SELECT, DELETE ON confession TO PUBLIC;
"""

GRAB = """
CREATE FUNCTION grab() RETURNS text LANGUAGE plpgsql VOLATILE
  SET search_path = pg_catalog, pg_temp AS $grab$
DECLARE
  attempt pg_catalog.text;
BEGIN
  INSERT INTO public.confession VALUES (session_user, current_user, 'grab');
  FOREACH attempt IN ARRAY ARRAY[
    'SELECT 1', 'SET ROLE postgres', 'SET LOCAL ROLE postgres', 'RESET ROLE', 'SET ROLE NONE',
    'SET SESSION AUTHORIZATION postgres', 'SET LOCAL SESSION AUTHORIZATION postgres',
    'RESET SESSION AUTHORIZATION', 'SET SESSION AUTHORIZATION DEFAULT', 'RESET ALL', 'DISCARD ALL',
    $$SELECT pg_catalog.set_config('role', 'postgres', false)$$,
    $$SELECT pg_catalog.set_config('role', 'none', false)$$,
    $$SELECT pg_catalog.set_config('session_authorization', 'postgres', false)$$,
    $$SELECT pg_catalog.set_config('is_superuser', 'on', false)$$,
    $$SELECT pg_catalog.set_config('session_replication_role', 'replica', false)$$,
    $$SELECT public.as_postgres()$$
  ] LOOP
    BEGIN
      EXECUTE attempt;
      INSERT INTO public.vault VALUES (current_user, attempt);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  RETURN session_user || '/' || current_user;
END
$grab$;
CREATE FUNCTION grab_and_agree(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.grab(); RETURN true; END $$;
"""

# A helper as DBAs write them: it trusts who has logged in.
TRUSTING_HELPER = """
CREATE FUNCTION as_postgres() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF session_user = 'postgres' THEN
    INSERT INTO public.vault VALUES (session_user, 'trusting helper');
  END IF;
END $$;
"""


def arm(database):
    database.admin.execute(VAULT + TRUSTING_HELPER)
    # For a superuser's own syncs: who may publish is not what these tests are about.
    database.admin.execute("CREATE USER MAPPING FOR postgres SERVER sqs"
                           " OPTIONS (access_key_id 'test', secret_access_key 'test')")
    database.analyst.execute(GRAB)


def taken(database):
    """What the attacker got; nothing, one hopes."""
    return [tuple(row) for row in database.admin.execute("SELECT * FROM vault")]


def confessions(database):
    """Whom the attacker's code was run by: (session_user, current_user)."""
    return {(row[0], row[1]) for row in
            database.admin.execute('SELECT DISTINCT session, "current" FROM confession')}


def snapshot_of(database, name):
    return tables_of(database, name)[0]


def tables_of(database, name):
    number = database.admin.execute("SELECT sync_id FROM sqs_sync.sync WHERE name = %s", (name,)).fetchone()[0]
    return f"sqs_sync_data.snapshot_{number}", f"sqs_sync_data.changes_{number}"
