"""Secrets are nowhere but in user mappings: one long life of a database, with all that goes wrong in it, and then a look
at all that it has said and left."""

import base64
import pathlib
import threading

import psycopg
import pytest
from psycopg import sql

from support.database import call, create_database, drop_database
from support.deadline import wait_until
from support.proxy import Proxy
from support.receiver import MailServer, Receiver
from support.running import destroy, fresh_name, started_cluster
from support.scripted import ROLE, Scripted
from support.secrets import Secrets

SIGNING = base64.b64encode(b"hush: nobody sees how it's signed").decode()


def test_every_form_of_a_secret_is_found(tmp_path):
    """Without this, what is not found below would say nothing."""
    secrets = Secrets(key="hush/a+b=c")
    for before in ("", "x", "xy", "xyz"):
        for coded in ("hush/a+b=c", "hush%2Fa%2Bb%3Dc", "687573682f612b623d63",
                      base64.b64encode(f"{before}hush/a+b=c and more".encode()).decode(),
                      base64.urlsafe_b64encode(f"{before}hush/a+b=c and more".encode()).decode()):
            assert secrets.found_in(f"{before}{coded} after") == ["key"], coded
    assert secrets.found_in("hush/a+b-c hush") == []
    (tmp_path / "file").write_text("one hush/a+b=c\n")
    assert secrets.found_below(tmp_path) == [(str(tmp_path / "file"), "key")]


@pytest.fixture
def talkative():
    cluster = started_cluster(shared_preload_libraries="sqs_sync", log_min_messages="debug5", log_error_verbosity="verbose",
                              log_connections="on", log_disconnections="on", log_lock_waits="on", log_temp_files="0")
    yield cluster
    destroy(cluster)


class Life:
    def __init__(self, database, peer, proxy, receiver, mail):
        self.database, self.peer, self.proxy, self.receiver, self.mail = database, peer, proxy, receiver, mail
        self.heard, self.shown = [], set()
        peer.secret_of = lambda session: f"hush/session+key/{session}="
        peer.token_of = lambda session: f"hushTokenOfSession/{session}=="
        for session in (database.admin, database.analyst):
            session.add_notice_handler(lambda notice: self.heard.append(str((notice.message_primary, notice.message_detail, notice.message_hint))))
        slack = "/services/T0/B0/hushslackpath77"
        self.keys = {"access_key_id": "AKIAHUSHHUSH00000001", "secret_access_key": "hush/mapping/+key==1",
                     "session_token": "hushTokenOfTheMapping//+1=="}
        self.external_id = "hush-external-id:9"
        self.secrets = Secrets(
            **self.keys, external_id=self.external_id, slack=slack, routing_key="ab54" * 8, password="hush mail/password",
            signing=SIGNING, signing_raw=base64.b64decode(SIGNING).decode(), other_key="hush/another/key/2")
        self.channels = {
            "slack": ({"channel": "slack", "endpoint_url": receiver.url}, {"webhook_url": receiver.url + slack}),
            "pager": ({"channel": "pagerduty", "endpoint_url": receiver.url + "/v2/enqueue"}, {"routing_key": "ab54" * 8}),
            "hook": ({"channel": "webhook", "url": receiver.url + "/hook", "internal_network": "true"},
                     {"signing_secret": "whsec_" + SIGNING}),
            "mail": ({"channel": "email", "host": "127.0.0.1", "port": str(mail.port), "encryption": "none", "internal_network": "true",
                      "from": "a@example.com", "to": "b@example.com"}, None),
            "closed": ({"channel": "email", "host": "127.0.0.1", "port": str(mail.port), "encryption": "starttls", "internal_network": "true",
                        "from": "a@example.com", "to": "b@example.com"}, {"username": "loader", "password": "hush mail/password"}),
            "sms": ({"channel": "sms", "region": "us-east-1", "phone_number": "+4915112345678", "endpoint_url": peer.endpoint}, self.keys)}

    def begin(self):
        admin = self.database.admin
        self.database.point_at(self.proxy.endpoint)
        admin.execute(sql.SQL("ALTER SERVER sqs OPTIONS (ADD sts_endpoint_url {})").format(self.peer.endpoint))
        admin.execute("DROP USER MAPPING FOR analyst SERVER sqs")
        self.map("sqs", {**self.keys, "role_arn": ROLE, "external_id": self.external_id})
        for name, (options, mapping) in self.channels.items():
            admin.execute(f"CREATE SERVER {name} FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS ({listed(options)})")
            if mapping:
                self.map(name, mapping)
            admin.execute(f"GRANT USAGE ON FOREIGN SERVER {name} TO analyst")
        # What a session has asked last it shows, too: that is Postgres's own, and docs/security.md says so.
        admin.execute("SELECT 1")
        self.database.analyst.execute("CREATE TABLE orders AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 300) i")
        self.database.create_sync("orders", "orders", model="SELECT * FROM orders", attributes={}, retry_for="3 seconds",
                                  template='{"id": {{row.id}}, "x": {{ 1 | divided_by: row.id }}}')
        self.database.analyst.execute("SELECT sqs_sync_log('orders', 'all')")
        for name in self.channels:
            for condition, limit in (("run_failed", {}), ("rejections", {"over": "0"})):
                call(self.database.analyst, "sqs_sync_alert_create", name=f"{name} {condition}", channel=name, sync="orders",
                     condition=condition, **limit)

    def map(self, server, options):
        self.database.admin.execute(f"CREATE USER MAPPING FOR PUBLIC SERVER {server} OPTIONS ({listed(options)})")

    def run(self):
        self.database.analyst.execute("UPDATE orders SET name = name || '.'")
        run = self.database.run("orders")
        self.heard.append(str(run))
        return run

    def refuse(self, session, statement):
        with pytest.raises(psycopg.Error) as refused:
            session.execute(statement)
        diag = refused.value.diag
        self.heard.append(str((refused.value, diag.message_detail, diag.message_hint, diag.context, diag.internal_query)))

    def everything(self):
        """What can be read in SQL: (who, what, text)."""
        ours = """SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                  WHERE relkind IN ('r', 'v', 'm') AND nspname IN ('sqs_sync', 'sqs_sync_data', 'public')"""
        catalogs = ["pg_stat_activity", "pg_settings", "pg_user_mappings", "pg_foreign_server", "pg_prepared_statements", "pg_stats",
                    "pg_locks", "pg_cursors", "pg_file_settings", "pg_db_role_setting", "pg_description", "pg_shdescription"]
        for who, session in (("a superuser", self.database.admin), ("the analyst", self.database.analyst)):
            relations = [name for (name,) in session.execute(ours)] + [f"pg_catalog.{name}" for name in catalogs]
            for relation in relations:
                if (who, relation) == ("a superuser", "pg_catalog.pg_user_mappings"):
                    continue
                try:
                    rows = session.execute(f"SELECT t::text FROM {relation} t").fetchall()
                except psycopg.errors.InsufficientPrivilege:
                    continue
                yield who, relation, "\n".join(row[0] or "" for row in rows)
            yield who, "sqs_sync_report", session.execute("SELECT sqs_sync_report()").fetchone()[0]


def listed(options):
    return ", ".join(f"""{name} '{value}'""" for name, value in options.items())


@pytest.fixture
def life(talkative):
    peer, receiver, mail = Scripted(), Receiver(), MailServer()
    proxy = Proxy(int(peer.endpoint.rpartition(":")[2]))
    database = create_database(talkative, fresh_name("db"), peer.endpoint)
    life = Life(database, peer, proxy, receiver, mail)
    yield life
    drop_database(database)
    for each in (proxy, peer, receiver, mail):
        each.stop()


def test_secrets_are_nowhere_after_a_life_in_which_all_went_wrong(life, talkative):
    database, analyst, admin, peer = life.database, life.database.analyst, life.database.admin, life.peer
    with Watch(life):
        life.begin()
        run = life.run()
        assert run.state == "succeeded", run.error
        for function in ("sqs_sync_check('orders')", "sqs_sync_preview('orders')", "sqs_sync_test('orders')", "sqs_sync_explain('orders')",
                         "sqs_sync_queues('sqs')", *(f"sqs_sync_alert_test('{name} run_failed')" for name in life.channels)):
            life.heard.append(str(database.rows(f"SELECT * FROM {function}")))

        # SQS, STS and all channels say in their answers what they were asked, secrets and all.
        peer.words = lambda asked, code: f"{code}: you said {asked.headers}"
        life.receiver.otherwise = lambda post: (403, f"I was asked {post.path} {post.body.decode()} {post.headers}")
        for code, status in (("SignatureDoesNotMatch", 403), ("InvalidClientTokenId", 403), ("SomethingNew", 400), ("InternalFailure", 500)):
            peer.refuse_sqs = lambda asked: (status, code)
            assert life.run().state in ("failed", "partly_failed")
            life.heard.append(str(database.rows("SELECT * FROM sqs_sync_test('orders')")))
        peer.refuse_sqs = lambda asked: None
        peer.refuse_sts = lambda asked: (403, "AccessDenied")
        assert life.run().sqlstate == "28000"
        peer.refuse_sts = lambda asked: None

        life.proxy.cut()
        assert life.run().in_doubt > 0
        life.proxy.pass_on()
        analyst.execute("INSERT INTO orders VALUES (0, 'it is divided by')")
        run = life.run()
        assert run.state == "partly_failed", run.error
        wait_until(lambda: life.database.value("SELECT count(*) FROM sqs_sync.alert_deliveries WHERE state = 'failed'") > 0, "channels have failed", 60)

        life.refuse(admin, f"ALTER USER MAPPING FOR PUBLIC SERVER sqs OPTIONS (ADD secret '{life.secrets['other_key']}')")
        life.refuse(admin, f"ALTER SERVER sqs OPTIONS (ADD secret_access_key '{life.secrets['other_key']}')")
        life.refuse(admin, f"ALTER USER MAPPING FOR PUBLIC SERVER hook OPTIONS (ADD signing_secrets '{life.secrets['other_key']}')")
        admin.execute("SELECT 1")
        for kind in ("runner", "worker"):
            end(life, kind)
        admin, analyst = life.database.admin, life.database.analyst
        assert life.database.run("orders").state == "partly_failed"

    assert len({asked.key for asked in peer.sent()}) > 1 and {f"ASIA{i}" for i in (1, 2)} <= peer.keys()
    assert {post.path for post in life.receiver.posts} == {"/services/T0/B0/hushslackpath77", "/v2/enqueue", "/hook"}
    for asked in peer.asked[::len(peer.asked) // 10]:
        life.secrets.add_headers(asked.headers)
    for session in (1, 2):
        life.secrets[f"key of session {session}"], life.secrets[f"token of session {session}"] = peer.secret_of(session), peer.token_of(session)
    assert_nowhere(life, talkative)


def end(life, kind):
    """Kills a process by SIGKILL, a runner while it waits for answers: the server recovers."""
    life.proxy.delay(300)
    life.database.analyst.execute("UPDATE orders SET name = name || '.'")
    run_id = life.database.start_run("orders")
    wait_until(lambda: life.database.run_row(run_id).state == "publishing", "the run publishes", 30)
    [pid] = life.database.processes(kind)
    life.database.cluster.kill_and_await_recovery(pid)
    life.proxy.pass_on()
    life.database.connect()
    life.database.wait_for(run_id)


def assert_nowhere(life, cluster):
    admin, secrets = life.database.admin, life.secrets
    [(mappings,)] = admin.execute("SELECT pg_relation_filepath('pg_user_mapping')").fetchall()
    admin.execute("CHECKPOINT")
    kept = [str(cluster.data / (mappings + fork)) for fork in ("", "_fsm", "_vm")]
    assert len(secrets.found_below(kept[0])) > 5, "they are looked for as they are written"

    where = {"what clients heard": secrets.found_in("\n".join(life.heard))}
    for who, what, text in life.everything():
        where[f"{what}, as {who} sees it"] = secrets.found_in(text)
    where["what was seen of processes"] = secrets.found_in("\n".join(life.shown))
    assert len(where) > 80
    assert {place: found for place, found in where.items() if found} == {}
    shared = [path for path in pathlib.Path("/dev/shm").iterdir() if path.name.startswith("PostgreSQL")]
    assert secrets.found_below(cluster.directory, *shared, but=kept) == []


class Watch:
    """Keeps what pg_stat_activity and the list of processes show while the block goes on."""

    def __init__(self, life):
        self.life, self.over = life, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        cluster = self.life.database.cluster
        session = None
        while not self.over.wait(0.1):
            try:
                session = session or cluster.connect()
                shown = session.execute("SELECT a::text FROM pg_stat_activity a WHERE backend_type ~ 'sqs_sync' OR usename = 'analyst'").fetchall()
            except psycopg.OperationalError:
                session = None
                continue
            self.life.shown |= {row for (row,) in shown} | {title for pid in cluster.processes() for title in titles(pid)}

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def titles(pid):
    """What a list of processes shows of one."""
    for what in ("cmdline", "environ"):
        try:
            yield pathlib.Path(f"/proc/{pid}/{what}").read_text(errors="replace")
        except OSError:
            continue
