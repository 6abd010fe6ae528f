"""sqs_sync_queues: the queues of a connection, by ListQueues; what else is known of them is a bonus."""

import threading

import psycopg
import pytest

from support.deadline import wait_until
from support.emulator import Emulator
from support.permitted import come_as, keys_of_user
from support.running import fresh_name


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("guarded") / "log", AUTH="true").start()
    yield emulator
    emulator.stop()


def listed(database, prefix=None, connection=None):
    return (connection or database.analyst).execute("SELECT * FROM sqs_sync_queues('sqs', %s)", (prefix,)).fetchall()


def test_queues_are_listed_with_what_they_are(database, emulator):
    prefix = fresh_name("listed")
    emulator.create_queue(f"{prefix}-a")
    emulator.create_queue(f"{prefix}-b.fifo")
    standard, fifo = sorted(listed(database, prefix))
    assert standard == (f"{prefix}-a", f"{emulator.endpoint}/000000000000/{prefix}-a",
                        f"arn:aws:sqs:us-east-1:000000000000:{prefix}-a", "standard", 1048576, False, None)
    assert (fifo.name, fifo.type, fifo.maximum_message_size) == (f"{prefix}-b.fifo", "fifo", 1048576)
    assert {row.name for row in listed(database)} >= {standard.name, fifo.name}
    assert listed(database, "no-queue-begins-so") == []


def test_a_listed_url_and_arn_can_be_published_to(database, items, queue):
    items.fill(1)
    (row,) = listed(database, queue.name)
    for name, place in (("by_url", row.url), ("by_arn", row.arn)):
        database.create_sync(name, place, model="items", template='"{{sync.name}}"')
        assert database.run(name).state == "succeeded"
    assert sorted(message.body for message in queue.drain()) == ['"by_arn"', '"by_url"']


def test_all_pages_are_read(database, emulator):
    """A page has 1,000 queues at most."""
    prefix = fresh_name("page")
    client = emulator.client()
    for number in range(1005):
        client.create_queue(QueueName=f"{prefix}-{number}")
    rows = listed(database, prefix)
    assert len({row.name for row in rows}) == 1005
    assert sum(row.maximum_message_size is not None for row in rows) == 100


def test_without_the_right_to_attributes_queues_are_listed_all_the_same(database, guarded):
    guarded.create_queue("plain")
    guarded.create_queue("plain.fifo")
    database.point_at(guarded.endpoint)
    come_as(database, *keys_of_user(guarded, "sqs:ListQueues"))
    rows = sorted(listed(database, "plain"))
    assert [(row.name, row.type, row.maximum_message_size, row.content_based_deduplication) for row in rows] == [
        ("plain", "standard", None, None), ("plain.fifo", "fifo", None, None)]


def test_a_missing_right_to_list_is_named(database, guarded):
    database.point_at(guarded.endpoint)
    come_as(database, *keys_of_user(guarded, "sqs:SendMessage"))
    with pytest.raises(psycopg.Error, match="AccessDenied") as refused:
        listed(database)
    assert refused.value.diag.message_hint == 'Allow sqs:ListQueues on the resource "*".'


def test_refused_credentials_are_told_as_such_and_never_shown(database, guarded):
    database.point_at(guarded.endpoint)
    come_as(database, "AKIDUNKNOWN", "hush-hush")
    with pytest.raises(psycopg.Error) as refused:
        listed(database)
    assert refused.value.sqlstate == "28000"
    assert "hush-hush" not in str(refused.value) + str(refused.value.diag.message_hint)


def test_an_endpoint_that_nobody_answers_at_is_an_error_in_time(database):
    database.point_at("http://127.0.0.1:9")
    with pytest.raises(psycopg.Error, match="could not reach http://127.0.0.1:9") as refused:
        listed(database)
    assert refused.value.sqlstate == "HV00N"


def test_a_server_is_not_lent_to_who_has_no_usage_of_it_or_no_mapping(database):
    other = database.connection_of("other")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="sqs"):
        listed(database, connection=other)
    database.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other")
    with pytest.raises(psycopg.errors.UndefinedObject, match="user mapping of other"):
        listed(database, connection=other)
    database.admin.execute("CREATE USER MAPPING FOR PUBLIC SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test')")
    assert listed(database, "no-queue-begins-so", other) == []
    other.close()


@pytest.mark.parametrize("server, error", [("none", psycopg.errors.UndefinedObject), (None, psycopg.errors.InvalidParameterValue)])
def test_an_unknown_server_is_an_error(database, server, error):
    with pytest.raises(error):
        database.analyst.execute("SELECT * FROM sqs_sync_queues(%s)", (server,))


@pytest.mark.parametrize("how", ["cancel", "statement_timeout", "terminate"])
def test_a_session_that_waits_for_sqs_can_be_ended(database, proxy, how):
    database.point_at(proxy.endpoint)
    proxy.delay(600_000)
    pid = database.analyst.info.backend_pid
    waiting = "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = %s"

    def end():
        wait_until(lambda: database.admin.execute(waiting, (pid,)).fetchone() == (True,), "the session waits for SQS")
        if how == "cancel":
            database.admin.execute("SELECT pg_cancel_backend(%s)", (pid,))
        elif how == "terminate":
            database.admin.execute("SELECT pg_terminate_backend(%s)", (pid,))

    if how == "statement_timeout":
        database.analyst.execute("SET statement_timeout = '500ms'")
    else:
        threading.Thread(target=end).start()
    with pytest.raises(psycopg.errors.AdminShutdown if how == "terminate" else psycopg.errors.QueryCanceled):
        listed(database)
    if how == "terminate":
        wait_until(lambda: database.admin.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()[0] == 0,
                   "the session is gone")
        # The server did not have to restart for it.
        assert not database.admin.closed and database.admin.execute("SELECT 1").fetchone() == (1,)
    else:
        database.analyst.execute("RESET statement_timeout")
        proxy.pass_on()
        assert listed(database, "no-queue-begins-so") == []
