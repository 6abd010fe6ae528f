"""The live debugger: what was sent to SQS and what it answered, call by call."""

import json

import psycopg
import pytest

from support.deadline import wait_until
from support.running import fresh_name
from support.sink import Sink

TEMPLATE = '{"id": {{row.id}}, "name": "{{row.name}}"}'
SECRETS = {"access_key_id": "AKIALOGGEDNOWHERE123", "secret_access_key": "hush/nobody/logs/this+key",
           "session_token": "FwoGZXtokenthatnobodylogs=="}
ALL_WENT_WELL = {"accepted"}


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink") / "log").start()
    yield sink
    sink.stop()


def sync_to_sink(database, sink, name="items", model="item_rows", **settings):
    database.point_at(sink.endpoint)
    queue = sink.create_queue(fresh_name("queue"), **settings)
    # By its URL: then it need not be found, and every call is one that sends.
    database.create_sync(name, sink.queue_url(queue), model=model, template=TEMPLATE, retry_for="20 seconds")
    return queue


def log(database, level, **options):
    given = "".join(f", {name} => %s" for name in options)
    return database.row(f"SELECT * FROM sqs_sync_log('items', %s{given})", level, *options.values())


def sent(database):
    return database.rows("SELECT * FROM sqs_sync.requests WHERE operation = 'SendMessageBatch' ORDER BY request_id")


def entries(calls, *results):
    found = [entry for call in calls for entry in call.entries]
    return [entry for entry in found if not results or entry["result"] in results]


def keys(found):
    return sorted(entry["key"]["id"] for entry in found)


def test_each_call_is_shown_as_it_was_sent_with_what_became_of_each_message(database, items, queue):
    items.fill(12)
    database.create_sync("items", queue.name, model="item_rows", template=TEMPLATE,
                         attributes={"event": "{{event}}", "key": "{{key}}"})
    log(database, "all")
    run = database.run("items")
    (found, *calls) = database.rows("SELECT * FROM sqs_sync.requests ORDER BY request_id")

    assert (found.operation, found.queue, found.entries) == ("ListQueues", queue.name, None)
    assert sum(len(call.entries) for call in calls) == 12
    for call in calls:
        assert (call.sync, call.run_id, call.queue, call.attempt, call.status, call.error, call.dropped) \
            == ("items", run.run_id, call.request["QueueUrl"], 1, 200, None, 0)
        assert call.aws_request_id and 0 < call.latency_ms < 60_000 and call.request_bytes > 100
        assert run.started_at < call.at < run.finished_at
        for entry, message in zip(call.entries, call.request["Entries"], strict=True):
            key = entry["key"]["id"]
            assert json.loads(message["MessageBody"]) == {"id": key, "name": f"item {key}"}
            assert message["MessageAttributes"]["key"] == {"DataType": "String", "StringValue": str(key)}
            assert (entry["event"], entry["result"], entry["error"]) == ("added", "accepted", None)
    told = {m["MessageId"] for call in calls for m in call.response["Successful"]}
    assert {entry["message_id"] for entry in entries(calls)} == told and len(told) == 12


def test_unless_asked_for_only_what_went_wrong_is_kept(database, items, sink):
    items.fill(200)
    sync_to_sink(database, sink, rejected_share=0.05, seed=3)
    run = database.run("items")
    calls = sent(database)

    assert run.state == "partly_failed" and 0 < len(calls) < 20
    refused = entries(calls, "rejected")
    assert all(entries([call], "rejected") for call in calls)
    assert {entry["code"] for entry in refused} == {"InvalidMessageContents"} and all(e["error"] for e in refused)
    assert [{"id": key} for key in keys(refused)] == sorted(
        (json.loads(row.key) for row in database.rejections("items")), key=lambda key: key["id"])
    accepted = entries(calls, "accepted")
    assert accepted and all(entry["message_id"] for entry in accepted)

    sink.set(rejected_share=None)
    database.analyst.execute("UPDATE items SET name = 'mended'")
    assert database.run("items").state == "succeeded"
    assert sent(database) == calls, "nothing went wrong"


def test_a_call_that_is_throttled_was_not_accepted_and_its_next_attempt_is_counted(database, items, sink):
    items.fill(100)
    sync_to_sink(database, sink, throttled_share=0.5, seed=1)
    log(database, "all")
    assert database.run("items").state == "succeeded"
    throttled = [call for call in sent(database) if call.status != 200]
    assert throttled and all("throttle" in call.error for call in throttled)
    assert {entry["result"] for entry in entries(throttled)} == {"not accepted"}
    again = [call for call in sent(database) if call.attempt > 1 and call.status == 200]
    assert again and {entry["result"] for entry in entries(again)} == ALL_WENT_WELL


@pytest.mark.parametrize("fault", ["cut_share", "reset_after_share", "missing_share"])
def test_a_message_whose_answer_is_lost_is_in_doubt(database, items, sink, fault):
    items.fill(60)
    sync_to_sink(database, sink, seed=5, **{fault: 0.5})
    assert database.run("items").state == "succeeded"
    calls = sent(database)
    assert entries(calls, "in doubt") and not entries(calls, "rejected", "not accepted")
    if fault == "missing_share":
        assert entries(calls, "accepted") and all(call.status == 200 for call in calls)
    else:
        assert all(call.error and call.response is None for call in calls)
    assert all(entry["error"] and entry["key"] for entry in entries(calls, "in doubt"))


def test_a_run_under_way_takes_the_level_up_and_is_seen_while_it_goes_on(database, items, sink):
    items.fill(40)
    sync_to_sink(database, sink, queue_messages_per_second=10, seed=1)
    log(database, "off")
    database.alter_sync("items", order_by="id", group_id="one")
    database.analyst.execute("INSERT INTO items SELECT i, 'more', 1, '' FROM generate_series(41, 400) i")
    run_id = database.start_run("items")
    wait_until(lambda: database.run_row(run_id).state == "publishing", "the run publishes")
    assert sent(database) == []
    log(database, "all")
    wait_until(lambda: sent(database), "its calls are shown", 10)
    assert database.run_row(run_id).state == "publishing"
    database.analyst.execute("SELECT sqs_sync_cancel(%s)", (run_id,))
    database.wait_for(run_id)


def test_all_calls_are_kept_for_as_many_as_were_asked_for_and_then_errors_again(database, items, sink):
    items.fill(100)
    sync_to_sink(database, sink)
    now = log(database, "all", calls=4)
    assert (now.level, now.calls, now.until, now.afterwards) == ("all", 4, None, "errors")
    database.run("items")
    assert len(sent(database)) == 4
    now = database.row("SELECT * FROM sqs_sync_log('items')")
    assert (now.level, now.calls, now.afterwards) == ("errors", None, None)
    database.analyst.execute("UPDATE items SET name = 'again'")
    database.run("items")
    assert len(sent(database)) == 4


def test_a_level_ends_with_its_time_and_falls_back_to_the_one_that_lasts(database, items, sink):
    items.fill(10)
    sync_to_sink(database, sink)
    log(database, "sample", share=0.5)
    log(database, "all", lasting="1 hour")
    now = log(database, "all", lasting="0.01 seconds")
    assert (now.level, now.afterwards) in {("all", "sample"), ("sample", None)}
    wait_until(lambda: database.row("SELECT * FROM sqs_sync_log('items')").level == "sample", "the level has ended")
    now = log(database, "all")
    assert now.until and now.afterwards == "sample", "without an end that is given it is an hour"
    assert log(database, "off").level == "off"
    database.run("items")
    assert sent(database) == []


def test_a_sample_keeps_its_share_of_the_calls(database, items, sink):
    items.fill(1000)
    sync_to_sink(database, sink)
    log(database, "sample", share=0.1)
    database.run("items")
    assert len(sent(database)) == 10


@pytest.mark.parametrize("arguments", [
    "'loud'", "'errors', share => 0.5", "'sample', share => 0", "'sample', share => 1.5", "'sample', share => 'NaN'",
    "'all', calls => 0", "'all', lasting => '-1 day'", "'errors', calls => 3", "'off', lasting => '1 day'", "NULL, calls => 3"])
def test_what_makes_no_sense_is_refused(database, items, sink, arguments):
    sync_to_sink(database, sink)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        database.analyst.execute(f"SELECT sqs_sync_log('items', {arguments})")
    assert database.row("SELECT * FROM sqs_sync_log('items')").level == "errors"


def test_neither_a_transaction_that_sets_the_level_nor_a_lock_on_the_log_holds_a_run_up(database, items, sink):
    items.fill(50)
    sync_to_sink(database, sink)
    log(database, "all")
    with database.connection_of("analyst") as setting, database.connection_of("postgres") as locking:
        setting.execute("BEGIN; SELECT sqs_sync_log('items', 'off')")
        locking.execute("BEGIN; LOCK TABLE sqs_sync.request IN ACCESS EXCLUSIVE MODE")
        assert database.run("items").state == "succeeded"
    assert sent(database) == [], "what cannot be written is lost, and holds nothing up"


def test_calls_that_could_not_be_kept_are_counted_with_the_next_one(database, items, sink):
    items.fill(30)
    sync_to_sink(database, sink, queue_messages_per_second=40)
    log(database, "all")
    with database.connection_of("postgres") as locking:
        locking.execute("BEGIN; LOCK TABLE sqs_sync.request IN ACCESS EXCLUSIVE MODE")
        database.analyst.execute("INSERT INTO items SELECT i, 'more', 1, '' FROM generate_series(31, 120) i")
        run_id = database.start_run("items")
        wait_until(lambda: database.run_row(run_id).published > 0, "something was settled")
    database.wait_for(run_id)
    calls = sent(database)
    assert calls and sum(call.dropped for call in calls) > 0


def test_what_was_kept_goes_with_its_age_the_oldest_first(database, items, sink):
    items.fill(60)
    sync_to_sink(database, sink)
    log(database, "all")
    database.run("items")
    old = {call.request_id for call in sent(database)}
    young = max(old)
    database.admin.execute("UPDATE sqs_sync.request SET at = at - interval '8 days' WHERE request_id <> %s", (young,))
    database.analyst.execute("UPDATE items SET name = 'again' WHERE id = 1")
    database.run("items")
    wait_until(lambda: len(sent(database)) == 2, "the old ones are gone")
    assert {call.request_id for call in sent(database)} & old == {young}


def test_what_was_kept_goes_with_its_size_the_oldest_first(database, sink):
    database.analyst.execute("CREATE TABLE wide AS SELECT i AS id, repeat('x', 20000) AS name FROM generate_series(1, 300) i")
    database.admin.execute("ALTER SYSTEM SET sqs_sync.log_max_size = '1MB'")
    database.admin.execute("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: database.admin.execute("SHOW sqs_sync.log_max_size").fetchone()[0] == "1MB", "the setting is there")
        sync_to_sink(database, sink, model="wide")
        log(database, "all")
        database.run("items")
        size = "SELECT sum(bytes) FROM sqs_sync.request"
        wait_until(lambda: 0 < database.admin.execute(size).fetchone()[0] <= 1 << 20, "the log was cut to its size")
        kept = [call.request_id for call in sent(database)]
        (last,) = database.admin.execute("SELECT last_value FROM sqs_sync.request_id_seq").fetchone()
        assert kept == list(range(last - len(kept) + 1, last + 1)), "the latest are kept"
    finally:
        database.admin.execute("ALTER SYSTEM RESET sqs_sync.log_max_size")
        database.admin.execute("SELECT pg_reload_conf()")


def test_no_secret_is_in_the_log_whatever_sqs_answers(database, items, proxy, sink):
    """An error about a signature quotes the signed request."""
    items.fill(20)
    given = ", ".join(f"{'ADD' if name == 'session_token' else 'SET'} {name} '{value}'" for name, value in SECRETS.items())
    database.admin.execute(f"ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS ({given})")
    sync_to_sink(database, sink)
    log(database, "all")
    assert database.run("items").state == "succeeded"
    for status, words in ((403, "The request signature we calculated does not match. The canonical string was {headers}"),
                          (400, "Nobody knows this: {headers}"), (200, "{headers}")):
        with Echo(status, words) as echo:
            database.point_at(echo.endpoint)
            database.alter_sync("items", queue=f"{echo.endpoint}/000000000000/echo", retry_for="0 seconds")
            database.analyst.execute("UPDATE items SET name = name || '.'")
            database.run("items")
            assert echo.requests > 0
    kept = json.dumps([list(map(str, row)) for row in database.admin.execute("SELECT * FROM sqs_sync.request")])
    kept += str(database.rows("SELECT * FROM sqs_sync.runs")) + str(database.rejections("items"))
    assert len(sent(database)) >= 5
    for words in (*SECRETS.values(), "Authorization", "authorization", "Security-Token", "security-token", "AWS4-HMAC"):
        assert words not in kept


class Echo:
    """An SQS that answers with what it was asked, headers and all."""

    def __init__(self, status, words):
        import http.server
        import threading
        outer, self.requests = self, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.requests += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                told = words.format(headers=" ".join(f"{n}: {v}" for n, v in self.headers.items()))
                body = json.dumps({"__type": "com.amazonaws.sqs#Something", "message": told}).encode()
                self.send_response(status)
                self.send_header("x-amzn-requestid", self.headers["Authorization"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self.thread.start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_an_answer_that_is_no_json_is_shown_and_breaks_nothing(database, items, sink):
    items.fill(5)
    sync_to_sink(database, sink)
    for words in ("<html>", '\\u0000', "[" * 50_000):
        with Echo(400, words) as echo:
            database.point_at(echo.endpoint)
            database.alter_sync("items", queue=f"{echo.endpoint}/000000000000/echo", retry_for="0 seconds")
            database.run("items")
    assert len(sent(database)) >= 3


def test_the_log_goes_with_its_sync(database, items, sink):
    items.fill(5)
    sync_to_sink(database, sink)
    log(database, "all")
    database.run("items")
    assert sent(database)
    database.analyst.execute("SELECT sqs_sync_drop('items')")
    assert database.admin.execute("SELECT count(*) FROM sqs_sync.request").fetchone()[0] == 0


# One row -----------------------------------------------------------------------------------

def trace(database, key):
    return database.rows("SELECT * FROM sqs_sync_trace('items', %s)", key)


def test_the_story_of_a_row_is_told_in_the_order_of_time(database, items, sink):
    items.fill(3)
    queue = sync_to_sink(database, sink)
    (now,) = trace(database, "2")
    assert (now.at, now.what) == (None, "the queue knows nothing of it")

    log(database, "all")
    sink.set(queue=queue, rejected_share=1)
    database.run("items")
    sink.set(queue=queue, rejected_share=None)
    database.analyst.execute("SELECT sqs_sync_retry('items')")
    database.run("items")
    database.analyst.execute("UPDATE items SET name = 'two' WHERE id = 2")
    database.run("items")
    for given in ("2", '{"id": 2}', '{"id":2}'):
        *story, now = trace(database, given)
        assert [(step.what, step.event) for step in story] == [("rejected", "added"), ("accepted", "added"), ("accepted", "changed")]
        assert [step.code for step in story] == ["InvalidMessageContents", None, None]
        assert all(step.message_id for step in story[1:]) and [s.at for s in story] == sorted(s.at for s in story)
        assert story[0].change_id < story[1].change_id < story[2].change_id
        assert {step.request_id for step in story} <= {call.request_id for call in sent(database)}
        assert now.what == "the queue has been told of it"


def test_a_row_that_never_was_a_message_is_traced_to_its_rejection(database, items, sink):
    items.fill(2)
    sync_to_sink(database, sink)
    database.alter_sync("items", attributes=json.dumps({"note": "{{row.note}}"}))
    database.analyst.execute("UPDATE items SET note = '' WHERE id = 1")
    database.run("items")
    rejected, now = trace(database, "1")
    assert (rejected.what, rejected.request_id, now.what) == ("rejected", None, "the queue knows nothing of it")
    assert rejected.code and rejected.detail


def test_a_change_in_doubt_is_traced(database, items, proxy, queue):
    items.fill(1)
    database.point_at(proxy.endpoint)
    database.create_sync("items", queue.name, model="item_rows", template=TEMPLATE, retry_for="0 seconds")
    proxy.cut()
    assert database.run("items").in_doubt == 1
    story = trace(database, "1")
    assert [step.what for step in story] == ["in doubt", "is being sent, or in doubt", "the queue knows nothing of it"]


@pytest.mark.parametrize("key", ["'x'", "NULL", "'{\"id\": null}'"])
def test_what_is_no_key_is_refused(database, items, sink, key):
    sync_to_sink(database, sink)
    with pytest.raises(psycopg.Error) as refused:
        database.analyst.execute(f"SELECT * FROM sqs_sync_trace('items', {key})")
    assert refused.value.sqlstate in ("22023", "22P02")
