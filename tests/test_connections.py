"""Servers and user mappings: what their options may be, and who may say which."""

import psycopg
import pytest

from support.items import BODIES

SECRET = "hush-hush-0123456789"


def test_an_unknown_option_is_named_and_the_valid_ones_listed(database):
    with pytest.raises(psycopg.Error, match="regoin") as refused:
        database.admin.execute("CREATE SERVER other FOREIGN DATA WRAPPER sqs_sync OPTIONS (regoin 'eu-west-1')")
    assert refused.value.sqlstate == "HV00D"
    assert all(option in refused.value.diag.message_hint for option in ("region", "endpoint_url"))


def test_an_unknown_option_of_a_mapping_does_not_tell_a_secret(database):
    with pytest.raises(psycopg.Error, match="secret_key") as refused:
        database.admin.execute(f"CREATE USER MAPPING FOR other SERVER sqs OPTIONS (secret_key '{SECRET}')")
    assert refused.value.sqlstate == "HV00D"
    hint = refused.value.diag.message_hint
    assert all(option in hint for option in ("access_key_id", "secret_access_key", "session_token"))
    assert SECRET not in str(refused.value) + database.cluster.log_tail(200)


def test_only_a_superuser_says_where_the_endpoint_is(database):
    database.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="endpoint_url"):
        database.analyst.execute("CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync"
                                 " OPTIONS (region 'us-east-1', endpoint_url 'http://127.0.0.1:1')")
    database.analyst.execute("CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'us-east-1')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="endpoint_url"):
        database.analyst.execute("ALTER SERVER mine OPTIONS (ADD endpoint_url 'http://127.0.0.1:1')")


@pytest.mark.parametrize("option", ["endpoint_url", "sts_endpoint_url"])
@pytest.mark.parametrize("url, words", [
    ("ftp://localhost", "not an http or https URL"), ("https://", "not an http or https URL"),
    (f"https://user:{SECRET}@localhost", "not an http or https URL"), ("https://localhost/?a=b", "not an http or https URL"),
    ("http://10.0.0.1:4566", "not https"), ("http://52.94.5.1", "not https"),
    ("https://169.254.169.254", "never reached"), ("http://169.254.169.254/latest", "never reached"),
    ("https://[fd00:ec2::254]", "never reached"), ("https://[::ffff:169.254.170.2]", "never reached"), ("https://0.0.0.0", "never reached")])
def test_an_endpoint_is_https_or_on_this_machine_and_not_where_clouds_keep_credentials(lasting_database, option, url, words):
    action = "SET" if option == "endpoint_url" else "ADD"
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=words) as refused:
        lasting_database.admin.execute(f"ALTER SERVER sqs OPTIONS ({action} {option} '{url}')")
    assert option in str(refused.value) and SECRET not in str(refused.value)


def test_where_a_name_leads_is_judged_when_it_is_resolved(database, items, queue):
    """An address in another notation is a name: who resolves it says what it is. (Of https, as TLS knows no such name, the
    publisher's own tests show it.)"""
    items.fill(1)
    database.create_sync("items", queue.name, model="items", retry_for="0", **BODIES["fields"])
    database.admin.execute("ALTER SERVER sqs OPTIONS (SET endpoint_url 'http://0xa9fea9fe')")
    failed = database.run("items")
    assert (failed.state, failed.sqlstate, failed.in_doubt) == ("failed", "HV00N", 0)
    assert "not https" in failed.error and failed.hint
    database.point_at(database.endpoint)
    assert database.run("items").published == 1


def test_the_extensions_own_schema_cannot_be_its_home(database):
    database.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    database.admin.execute("CREATE SCHEMA sqs_sync")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="sqs_sync"):
        database.admin.execute("CREATE EXTENSION sqs_sync SCHEMA sqs_sync")


def test_a_secret_is_in_no_log_error_or_activity(database, items, queue, proxy):
    database.admin.execute(f"ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (SET secret_access_key '{SECRET}')")
    database.admin.execute("ALTER SYSTEM SET log_min_messages = debug1")
    database.admin.execute("SELECT pg_reload_conf()")
    items.fill(20)
    database.create_sync("items", queue.name, model="item_rows", retry_for="1 second", **BODIES["template"])
    assert database.run("items").state == "succeeded"
    items.set_name(1, "renamed")
    database.point_at(proxy.endpoint)
    proxy.refuse()
    failed = database.run("items")
    database.admin.execute("ALTER SYSTEM RESET log_min_messages")
    database.admin.execute("SELECT pg_reload_conf()")

    assert failed.state == "failed"
    activity = database.admin.execute("SELECT string_agg(query, ' ') FROM pg_stat_activity"
                                      " WHERE backend_type LIKE 'sqs_sync%'").fetchone()[0]
    assert SECRET not in database.cluster.log.read_text() + failed.error + (activity or "")
