"""Alerts: whose they are, what they see, and what cannot be one."""

import psycopg
import pytest

from support.deadline import wait_until
from support.watched import SIGNING


@pytest.fixture
def other(database):
    connection = database.connection_of("other")
    yield connection
    connection.close()


def test_an_alert_watches_what_its_owner_may_see_and_nothing_else(watched, receiver, other):
    hook = watched.webhook(receiver)
    watched.database.admin.execute(f"GRANT USAGE ON FOREIGN SERVER {hook} TO other")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        watched.alert("mine", hook, connection=other)
    watched.alert("others", hook, connection=other, sync=None)
    watched.alert("own", hook)
    watched.fail()
    watched.wait_for_delivery("own", "firing")
    assert [post.json["data"]["alert"] for post in receiver.posts] == ["own"]
    for view in ("alerts", "alert_deliveries"):
        assert {row.alert for row in other.execute(f"SELECT alert FROM sqs_sync.{view}")} <= {"others"}
    for statement in ("SELECT sqs_sync_alert_drop('own')", "SELECT sqs_sync_alert_silence('own', '1 day')",
                      "SELECT sqs_sync_alert_unsilence('own')", "SELECT * FROM sqs_sync_alert_test('own')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute(statement)

    watched.database.admin.execute("GRANT pg_monitor TO other")
    try:
        wait_until(lambda: any(post.json["data"]["alert"] == "others" for post in receiver.posts), "status is pg_monitor's to see")
        told = next(post for post in receiver.posts if post.json["data"]["alert"] == "others")
        assert watched.queue_name.encode() not in told.body and "may see why" in told.json["data"]["summary"]
        seen = other.execute("SELECT summary, answer FROM sqs_sync.alert_deliveries WHERE alert = 'own'").fetchall()
        assert seen and set(seen) == {(None, None)}, "of the others' alerts the texts are not"
        watched.database.admin.execute("REVOKE pg_monitor FROM other")
        wait_until(lambda: receiver.types()[-1] == "recovered", "what may not be seen is told no more")
        assert "no longer" in receiver.posts[-1].json["data"]["summary"]
    finally:
        watched.database.admin.execute("REVOKE pg_monitor FROM other")


def test_usage_of_the_channel_is_asked_for_at_creation_and_at_each_delivery(watched, receiver, other):
    hook = watched.webhook(receiver)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=hook):
        watched.alert("others", hook, connection=other, sync=None)
    watched.alert("failed", hook)
    watched.database.admin.execute(f"REVOKE USAGE ON FOREIGN SERVER {hook} FROM analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        watched.database.analyst.execute("SELECT * FROM sqs_sync_alert_test('failed')")
    watched.fail()
    delivery = watched.wait_for_delivery("failed", "firing", "failed")
    assert "permission denied" in delivery.answer and "GRANT USAGE" in delivery.hint and receiver.posts == []


def test_the_mapping_of_the_alerts_owner_comes_before_that_of_public(watched, receiver):
    hook = watched.webhook(receiver)
    own = "whsec_" + "A" * 32
    watched.database.admin.execute(f"CREATE USER MAPPING FOR analyst SERVER {hook} OPTIONS (signing_secret '{own}')")
    watched.alert("failed", hook)
    watched.database.row("SELECT * FROM sqs_sync_alert_test('failed')")
    assert receiver.posts[0].is_signed_by(own)


def test_an_alert_of_a_role_that_is_gone_tells_nobody_and_is_a_superusers_to_drop(watched, receiver, database):
    database.admin.execute("CREATE ROLE brief LOGIN")
    brief = database.connection_of("brief")
    hook = watched.webhook(receiver)
    database.admin.execute(f"GRANT USAGE ON FOREIGN SERVER {hook} TO brief")
    watched.alert("orphan", hook, connection=brief, sync=None)
    brief.close()
    database.admin.execute(f"REVOKE USAGE ON FOREIGN SERVER {hook} FROM brief; DROP ROLE brief")
    watched.fail()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.analyst.execute("SELECT sqs_sync_alert_drop('orphan')")
    assert database.admin.execute("SELECT count(*) FROM sqs_sync.alerts WHERE state = 'ok'").fetchone()[0] == 1
    database.admin.execute("SELECT sqs_sync_alert_drop('orphan')")
    assert receiver.posts == []


# Options and errors -----------------------------------------------------------------------

def test_what_leads_into_the_servers_network_is_a_superusers_to_set(watched):
    watched.database.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync_alerts TO analyst")
    create = "CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS "
    for options in ("(channel 'slack', endpoint_url 'http://10.0.0.1')", "(channel 'pagerduty', endpoint_url 'https://10.0.0.1')",
                    "(channel 'webhook', url 'http://10.0.0.1', internal_network 'true')",
                    "(channel 'sms', region 'eu-west-1', phone_number '+4915112345678', endpoint_url 'http://10.0.0.1')",
                    "(channel 'email', host '10.0.0.1', \"from\" 'a@b.example', \"to\" 'c@d.example', internal_network 'true')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="superuser"):
            watched.database.analyst.execute(create + options)
    watched.database.analyst.execute(create + "(channel 'webhook', url 'https://127.0.0.1/')")
    watched.database.analyst.execute(f"CREATE USER MAPPING FOR analyst SERVER mine OPTIONS (signing_secret '{SIGNING}')")
    watched.alert("inside", "mine")
    answer = watched.database.row("SELECT * FROM sqs_sync_alert_test('inside')")
    assert not answer.delivered and "may not reach" in answer.answer


def test_secrets_are_in_no_error_view_or_log(watched, receiver):
    database, secret = watched.database, "hush-hush-secret"
    for statement in (f"CREATE SERVER s FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'slack', webhook_url 'https://{secret}')",
                      f"CREATE SERVER s FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'slak', x '{secret}')",
                      f"CREATE USER MAPPING FOR other SERVER sqs OPTIONS (routing_key '{secret}')"):
        with pytest.raises(psycopg.Error) as refused:
            database.admin.execute(statement)
        assert secret not in str(refused.value) and secret not in str(refused.value.diag.message_hint)
    slack = watched.channel("slack", {"channel": "slack", "endpoint_url": receiver.url},
                            {"webhook_url": f"{receiver.url}/services/{secret}"})
    watched.alert("failed", slack)
    receiver.answers += [(403, f"invalid token {secret}")] * 2
    database.row("SELECT * FROM sqs_sync_alert_test('failed')")
    watched.fail()
    delivery = watched.wait_for_delivery("failed", "firing", "failed")
    assert "invalid token (secret)" in delivery.answer
    for relation in ("sqs_sync.alerts", "sqs_sync.alert_deliveries", "sqs_sync.alert_delivery", "sqs_sync.alert",
                     "sqs_sync.alert_standing", "pg_stat_activity", "sqs_sync.runs"):
        assert secret not in str(database.admin.execute(f"SELECT r::text FROM {relation} r").fetchall()), relation
    log = database.cluster.log_tail(500)
    assert secret not in log


@pytest.fixture
def refused(watched, receiver):
    watched.alert("taken", watched.webhook(receiver))
    watched.channel("bare", {"channel": "slack"})

    def refused(**options):
        with pytest.raises(psycopg.Error) as error:
            watched.alert(**{"name": "new", "channel": "hook", **options})
        assert [row.alert for row in watched.database.rows("SELECT alert FROM sqs_sync.alerts")] == ["taken"]
        return error.value.sqlstate, error.value.diag.message_primary
    return refused


def test_an_alert_that_cannot_be_is_an_error_and_makes_none(refused):
    for options in ({"condition": "run_faild"}, {"condition": "rejections"}, {"over": "5"}, {"channel": "sqs"},
                    {"condition": "no_success", "within": "-1 hour"}, {"remind_every": "0 seconds"},
                    {"condition": "worker_down", "within": "1 second"}, {"condition": None}, {"channel": None},
                    {"name": None}, {"name": ""}, {"name": "x" * 64}):
        assert refused(**options)[0] == "22023", options
    assert refused(name="taken") == ("42710", 'alert "taken" already exists')
    assert refused(channel="nothing") == ("42704", 'server "nothing" does not exist')
    assert refused(sync="nothing") == ("42704", 'sync "nothing" does not exist')
    assert refused(channel="bare") == (
        "HV002", 'channel "bare": option "webhook_url" of the user mapping is missing')
