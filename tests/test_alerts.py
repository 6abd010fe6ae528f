"""Alerts: what is told of syncs, to peers that speak the real protocols, and to whom it is not."""

import json

import psycopg
import pytest
from psycopg import sql

from support.database import call
from support.deadline import wait_until
from support.emulator import REGION
from support.receiver import MailServer, Receiver
from support.running import fresh_name

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def mail():
    mail = MailServer()
    yield mail
    mail.stop()


class Watched:
    """A sync whose runs fail until its queue is there, and the channels that are told of it."""

    def __init__(self, database, emulator, items):
        self.database, self.emulator, self.items = database, emulator, items
        items.fill(3)
        self.queue = None
        self.queue_name = fresh_name("queue")
        database.create_sync("items", self.queue_name, model="items", template="1", retry_for="0 seconds")

    def channel(self, name, options, mapping=None, user="PUBLIC"):
        admin = self.database.admin

        def listed(given):
            return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(k), v) for k, v in given.items())
        admin.execute(sql.SQL("CREATE SERVER {} FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS ({})").format(
            sql.Identifier(name), listed(options)))
        if mapping:
            admin.execute(sql.SQL("CREATE USER MAPPING FOR {} SERVER {} OPTIONS ({})").format(
                sql.SQL(user), sql.Identifier(name), listed(mapping)))
        admin.execute(sql.SQL("GRANT USAGE ON FOREIGN SERVER {} TO analyst").format(sql.Identifier(name)))
        return name

    def webhook(self, receiver, name="hook"):
        return self.channel(name, {"channel": "webhook", "url": receiver.url + "/hook", "internal_network": "true"},
                            {"signing_secret": SIGNING})

    def notify(self):
        return self.channel("here", {"channel": "notify", "name": "told"})

    def alert(self, name, channel, connection=None, **options):
        call(connection or self.database.analyst, "sqs_sync_alert_create", name=name, channel=channel,
             **{"sync": "items", "condition": "run_failed", **options})

    def fail(self):
        run = self.database.run("items")
        assert run.state == "failed", run

    def mend(self):
        self.queue = self.queue or self.emulator.create_queue(self.queue_name)
        run = self.database.run("items")
        assert run.state == "succeeded", run.error

    def state(self, name):
        return self.database.row("SELECT * FROM sqs_sync.alerts WHERE alert = %s", name)

    def deliveries(self, name):
        return self.database.rows("SELECT * FROM sqs_sync.alert_deliveries WHERE alert = %s ORDER BY delivery_id", name)

    def wait_for_delivery(self, name, message, state="delivered", seconds=30):
        return wait_until(lambda: next((d for d in self.deliveries(name) if (d.message, d.state) == (message, state)), None),
                          f"{message} of {name} is {state}: {self.deliveries(name)}", seconds)


@pytest.fixture
def watched(database, emulator, items):
    return Watched(database, emulator, items)


# What is told, and when -------------------------------------------------------------------

def test_a_condition_is_told_when_it_begins_again_as_a_reminder_and_when_it_is_over(watched, receiver):
    watched.alert("failed", watched.webhook(receiver), remind_every="1 second")
    watched.fail()
    wait_until(lambda: "reminder" in receiver.types(), "a reminder comes")
    firing = watched.state("failed")
    assert (firing.state, firing.sync, firing.owner, firing.channel) == ("firing", "items", "analyst", "hook")
    assert watched.queue_name in firing.summary and firing.told_at
    watched.mend()
    wait_until(lambda: receiver.types()[-1] == "recovered", "it is told that it is over")

    types = receiver.types()
    assert types == ["firing", *["reminder"] * (len(types) - 2), "recovered"]
    assert all(post.is_signed_by(SIGNING) for post in receiver.posts)
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == len(types)
    assert len({post.json["data"]["dedup_key"] for post in receiver.posts}) == 1
    data = receiver.posts[0].json["data"]
    assert (data["alert"], data["sync"], data["condition"], data["database"]) == ("failed", "items", "run_failed", watched.database.name)
    wait_until(lambda: {d.state for d in watched.deliveries("failed")} == {"delivered"}, "all is written down")
    assert [d.message for d in watched.deliveries("failed")] == types
    over = watched.state("failed")
    assert (over.state, over.told_at, over.last_delivery, over.summary) == ("ok", None, "delivered", None)


def test_what_goes_on_is_told_once(watched, receiver):
    watched.alert("failed", watched.webhook(receiver))
    for _ in range(3):
        watched.fail()
    watched.mend()
    watched.mend()
    wait_until(lambda: receiver.types() == ["firing", "recovered"], "it began and ended once")


def test_slack_and_pagerduty_are_told_in_their_own_words(watched, receiver):
    slack = watched.channel("slack", {"channel": "slack", "endpoint_url": receiver.url},
                            {"webhook_url": receiver.url + "/services/T0/B0/secretpart"})
    pager = watched.channel("pager", {"channel": "pagerduty", "endpoint_url": receiver.url + "/v2/enqueue"},
                            {"routing_key": "a1" * 16})
    watched.alert("to slack", slack)
    watched.alert("to the pager", pager)
    watched.fail()
    watched.mend()
    wait_until(lambda: len(receiver.posts) == 4, "both are told that it began and ended")

    to_slack = [post.json for post in receiver.posts if post.path == "/services/T0/B0/secretpart"]
    assert [message["blocks"][0]["text"]["text"] for message in to_slack] == [
        "🔴 FIRING: items: run failed", "🟢 RECOVERED: items: run failed"]
    triggered, resolved = (post.json for post in receiver.posts if post.path == "/v2/enqueue")
    assert (triggered["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert triggered["dedup_key"] == resolved["dedup_key"] and triggered["payload"]["severity"] == "error"


def test_a_mail_an_sms_and_a_notification_arrive(watched, mail, emulator):
    sns = emulator.client(service="sns")
    topic = sns.create_topic(Name=fresh_name("topic"))["TopicArn"]
    phones = emulator.create_queue(fresh_name("phones"))
    arn = phones.client.get_queue_attributes(QueueUrl=phones.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    watched.alert("by sms", watched.channel(
        "sms", {"channel": "sms", "region": REGION, "topic_arn": topic, "endpoint_url": emulator.endpoint},
        {"access_key_id": "test", "secret_access_key": "test"}))
    watched.alert("by mail", watched.channel(
        "mail", {"channel": "email", "host": "127.0.0.1", "port": str(mail.port), "encryption": "none",
                 "internal_network": "true", "from": "alerts@example.com", "to": "ops@example.com"}))
    watched.alert("by notify", watched.notify())
    listener = watched.database.connection_of("analyst")
    listener.execute("LISTEN told")
    watched.fail()

    watched.wait_for_delivery("by mail", "firing")
    assert mail.mails[0]["Subject"].startswith("FIRING") or "FIRING" in mail.mails[0]["Subject"]
    assert mail.mails[0]["To"] == "ops@example.com"
    [note] = listener.notifies(timeout=20, stop_after=1)
    assert json.loads(note.payload)["data"]["alert"] == "by notify"
    [sent] = wait_until(phones.drain, "the message is published")
    assert "FIRING" in json.loads(sent.body)["Message"]
    assert {d.state for name in ("by sms", "by notify") for d in [watched.wait_for_delivery(name, "firing")]} == {"delivered"}
    listener.close()


def test_a_silenced_alert_tells_nothing_and_afterwards_how_things_stand(watched, receiver):
    watched.alert("failed", watched.webhook(receiver))
    until = watched.database.value("SELECT sqs_sync_alert_silence('failed', '1 hour')")
    watched.fail()
    wait_until(lambda: watched.state("failed").state == "firing", "it is known to fail")
    assert watched.state("failed").silenced_until == until and watched.state("failed").told_at is None
    assert receiver.posts == [] and watched.deliveries("failed") == []
    watched.database.analyst.execute("SELECT sqs_sync_alert_unsilence('failed')")
    wait_until(lambda: receiver.types() == ["firing"], "it is told after the silence")


def test_a_test_delivers_for_real_and_says_what_the_channel_answered(watched, receiver):
    watched.alert("failed", watched.webhook(receiver))
    test = "SELECT * FROM sqs_sync_alert_test('failed')"
    assert watched.database.row(test)[:2] == (True, 200)
    receiver.answers.append((401, f"who are you? {SIGNING} is not it"))
    refused = watched.database.row(test)
    assert (refused.delivered, refused.status) == (False, 401)
    assert "who are you?" in refused.answer and SIGNING not in refused.answer and refused.hint
    assert receiver.types() == ["test", "test"] and receiver.posts[0].is_signed_by(SIGNING)
    assert [(d.message, d.state) for d in watched.deliveries("failed")] == [("test", "delivered"), ("test", "failed")]
    assert watched.state("failed").state == "ok"


def test_a_test_that_hangs_can_be_cancelled(watched, receiver):
    watched.alert("failed", watched.webhook(receiver))
    receiver.hold()
    watched.database.analyst.execute("SET statement_timeout = '500ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        watched.database.analyst.execute("SELECT * FROM sqs_sync_alert_test('failed')")


# Conditions, by what really happens -------------------------------------------------------

def test_each_condition_is_found_in_what_happens(watched, emulator, proxy):
    database = watched.database
    channel = watched.notify()
    database.point_at(proxy.endpoint)
    for condition, limit in {"rejections": {"over": "30%"}, "run_held": {}, "no_success": {"within": "1 second"},
                             "run_long": {"within": "1 second"}, "queue_paused": {}, "unusual_counts": {}}.items():
        watched.alert(condition, channel, condition=condition, **limit)

    def becomes(condition, state):
        wait_until(lambda: watched.state(condition).state == state, f"{condition} is {state}", 20)
        return watched.state(condition).summary

    assert "ever" in becomes("no_success", "firing")
    watched.fail()
    assert watched.queue_name in becomes("queue_paused", "firing")
    watched.mend()
    becomes("no_success", "ok")
    becomes("queue_paused", "ok")

    proxy.delay(6000)
    database.analyst.execute("UPDATE items SET name = 'later'")
    slow = database.start_run("items")
    assert f"run {slow} has taken" in becomes("run_long", "firing")
    proxy.pass_on()
    database.wait_for(slow)
    becomes("run_long", "ok")

    for _ in range(5):
        watched.mend()
    watched.items.fill(1199, first=1000)
    watched.mend()
    assert "200 rows added" in becomes("unusual_counts", "firing")
    watched.mend()
    becomes("unusual_counts", "ok")

    database.alter_sync("items", template='{"a": {{row.note}}}')
    database.analyst.execute("UPDATE items SET note = CASE WHEN id % 2 = 0 THEN '1' ELSE 'no json' END")
    assert database.run("items").state == "partly_failed"
    assert "rejected" in becomes("rejections", "firing")

    database.analyst.execute("DROP VIEW item_rows; ALTER TABLE items ALTER COLUMN amount TYPE text")
    assert database.run("items").state == "held"
    assert "is held" in becomes("run_held", "firing")


def test_a_worker_that_was_gone_is_told_of_when_it_is_there_again(watched, receiver):
    watched.alert("worker", watched.webhook(receiver), sync=None, condition="worker_down", within="1 minute")
    seen = "SELECT seen_at FROM sqs_sync.worker_sight"
    wait_until(lambda: watched.database.admin.execute(seen).fetchone(), "the worker shows itself")
    watched.database.admin.execute("UPDATE sqs_sync.alert SET created_at = now() - interval '1 day'")
    watched.database.admin.execute("UPDATE sqs_sync.worker_sight SET seen_at = now() - interval '1 hour'")
    assert watched.state("worker").state == "firing", "whoever asks sees it meanwhile"
    wait_until(lambda: receiver.types() == ["firing", "recovered"], "it was gone and is there")
    assert receiver.posts[0].json["data"]["sync"] is None


def test_an_alert_of_all_syncs_judges_each_by_itself_and_new_ones_too(watched, receiver, emulator):
    watched.alert("any", watched.webhook(receiver), sync=None)
    assert [row.sync for row in watched.database.rows("SELECT sync FROM sqs_sync.alerts")] == [None]
    watched.fail()
    watched.database.create_sync("later", fresh_name("missing"), model="items", template="1", retry_for="0 seconds")
    assert watched.database.run("later").state == "failed"
    wait_until(lambda: len(receiver.posts) == 2, "both are told")
    assert {post.json["data"]["sync"] for post in receiver.posts} == {"items", "later"}
    assert {row.sync for row in watched.database.rows("SELECT sync FROM sqs_sync.alerts WHERE state = 'firing'")} == {"items", "later"}
    watched.database.analyst.execute("SELECT sqs_sync_drop('later')")
    wait_until(lambda: receiver.types() == ["firing", "firing", "recovered"], "a sync that is gone fails no longer")
    assert receiver.posts[2].json["data"]["sync"] == "later"


# A channel that is down -------------------------------------------------------------------

def test_a_channel_that_is_down_is_tried_again_and_holds_up_no_run_and_no_other_channel(watched, receiver):
    other = Receiver()
    receiver.hold()
    watched.alert("hangs", watched.webhook(receiver))
    watched.alert("works", watched.webhook(other, "other hook"))
    watched.fail()
    wait_until(lambda: receiver.posts, "the channel is tried")
    watched.mend()
    wait_until(lambda: other.types() == ["firing", "recovered"], "the other channel is told all")
    other.stop()
    assert {d.state for d in watched.deliveries("hangs")} == {"queued"}

    receiver.answers += [(503, "not now"), (429, "too many")]
    receiver.release()
    wait_until(lambda: [d.state for d in watched.deliveries("hangs")] == ["delivered", "delivered"], "it is tried again", 60)
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 2, "each attempt is of the same message"
    assert watched.deliveries("hangs")[0].attempts >= 3


def test_a_state_changes_once_though_the_worker_dies(watched, receiver):
    receiver.hold()
    watched.alert("failed", watched.webhook(receiver))
    watched.fail()
    wait_until(lambda: receiver.posts, "the message is on its way")
    [worker] = watched.database.processes("worker")
    watched.database.admin.execute("SELECT pg_terminate_backend(%s)", (worker,))
    wait_until(lambda: watched.database.processes("worker") not in ([], [worker]), "there is another worker")
    receiver.release()
    watched.wait_for_delivery("failed", "firing")
    watched.fail()
    assert [d.message for d in watched.deliveries("failed")] == ["firing"]
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1


def test_an_open_transaction_that_drops_an_alert_holds_up_no_other(watched, receiver):
    hook = watched.webhook(receiver)
    watched.alert("dropped", hook)
    watched.alert("stays", hook)
    session = watched.database.connection_of("analyst")
    session.execute("BEGIN")
    session.execute("SELECT sqs_sync_alert_drop('dropped')")
    watched.fail()
    wait_until(lambda: receiver.posts, "the other is told")
    assert receiver.posts[0].json["data"]["alert"] == "stays"
    session.execute("ROLLBACK")
    session.close()
    wait_until(lambda: len(receiver.posts) == 2, "what was not dropped is told")


def test_a_database_is_dropped_while_a_channel_hangs(watched, receiver):
    receiver.hold()
    watched.alert("failed", watched.webhook(receiver))
    watched.fail()
    wait_until(lambda: receiver.posts, "the message is on its way")
    watched.database.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    assert watched.database.processes("worker") == []
    watched.database.prepare_again()


# Whose alerts, and what they see ----------------------------------------------------------

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
