"""Alerts: what is told of syncs, and when, to peers that speak the real protocols."""

import json

import psycopg
import pytest

from support.deadline import wait_until
from support.emulator import REGION
from support.receiver import Receiver
from support.running import fresh_name
from support.watched import SIGNING


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
