"""A newcomer's evening: what a DBA and an analyst type, from the installation to a sync that broke, was told of
by mail and in Slack, was understood and mended. Nothing else than what they type is done to the server."""

import json

import pytest

from support.deadline import wait_until
from support.emulator import REGION
from support.running import destroy, fresh_name, started_cluster


@pytest.fixture
def psql():
    """psql -c, as this role, on a server on which the extension's files were just installed."""
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    cluster.run("createdb", "shop")

    def run(role, *commands, fails=False):
        typed = [argument for command in commands for argument in ("-c", command)]
        done = cluster.run("psql", "-AtX", "-v", "ON_ERROR_STOP=1", "-U", role, "shop", *typed, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return (done.stdout + done.stderr).strip()

    yield run
    destroy(cluster)


@pytest.mark.e2e
def test_a_newcomers_evening(psql, emulator, receiver, mail):
    queue = emulator.create_queue(fresh_name("contacts"))

    # The DBA connects an account, and the channels by which to be told.
    psql("postgres",
         "CREATE EXTENSION sqs_sync",
         f"CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region '{REGION}', endpoint_url '{emulator.endpoint}')",
         "CREATE USER MAPPING FOR PUBLIC SERVER aws OPTIONS (access_key_id 'test', secret_access_key 'test')",
         f"CREATE SERVER slack FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'slack', endpoint_url '{receiver.url}')",
         f"CREATE USER MAPPING FOR PUBLIC SERVER slack OPTIONS (webhook_url '{receiver.url}/services/T0/B0/secret')",
         f"""CREATE SERVER mail FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'email', host '127.0.0.1',
             port '{mail.port}', encryption 'none', internal_network 'true', "from" 'sqs@shop.example', "to" 'ada@shop.example')""",
         "GRANT USAGE ON FOREIGN SERVER aws, slack, mail TO analyst",
         "GRANT CREATE ON SCHEMA public TO analyst")

    # The analyst picks a queue, writes a view, looks at what would be sent, and sends it.
    assert queue.name in psql("analyst", "SELECT * FROM sqs_sync_queues('aws')")
    psql("analyst",
         "CREATE TABLE customers (id integer PRIMARY KEY, name text, email text)",
         "INSERT INTO customers VALUES (1, 'Ada', 'ada@shop.example'), (2, 'Nell', NULL)",
         "CREATE VIEW contacts AS SELECT id, name, email FROM customers WHERE email IS NOT NULL",
         f"""SELECT sqs_sync_create('contacts', model => 'contacts', key => 'id', server => 'aws', queue => '{queue.name}',
             template => '{{"name": "{{{{row.name}}}}", "email": "{{{{row.email}}}}", "event": "{{{{event}}}}"}}')""")
    previewed = psql("analyst", "SELECT body FROM sqs_sync_preview('contacts')")
    psql("analyst", "CALL sqs_sync_run_and_wait('contacts')")
    [sent] = queue.drain()
    assert sent.body == previewed
    assert json.loads(sent.body) == {"name": "Ada", "email": "ada@shop.example", "event": "added"}

    # To be told when it breaks.
    psql("analyst",
         "SELECT sqs_sync_alert_create('contacts: slack', sync => 'contacts', condition => 'run_failed', channel => 'slack')",
         "SELECT sqs_sync_alert_create('contacts: mail', sync => 'contacts', condition => 'run_failed', channel => 'mail')")
    assert psql("analyst", "SELECT delivered FROM sqs_sync_alert_test('contacts: mail')") == "t"
    [tried] = mail.mails
    assert "TEST" in tried["Subject"]

    # It breaks: somebody mistypes the queue's name.
    psql("analyst", f"SELECT sqs_sync_alter('contacts', queue => '{queue.name}s')",
         "UPDATE customers SET email = 'nell@shop.example' WHERE id = 2")
    said = psql("analyst", "CALL sqs_sync_run_and_wait('contacts')", fails=True)
    assert f"{queue.name}s" in said and "HINT" in said
    wait_until(lambda: receiver.posts and len(mail.mails) == 2, "Slack and the mail tell of it")
    assert "FIRING: contacts: run failed" in receiver.posts[0].json["blocks"][0]["text"]["text"]
    assert "FIRING" in mail.mails[1]["Subject"] and f"{queue.name}s" in mail.mails[1].get_body().get_content()

    # Why? The calls say it.
    calls = psql("analyst", "SELECT operation, queue, status, error FROM sqs_sync.requests WHERE sync = 'contacts' ORDER BY request_id")
    assert f"ListQueues|{queue.name}s|200|queue" in calls and "does not exist" in calls
    assert queue.name in psql("analyst", f"SELECT * FROM sqs_sync_queues('aws', '{queue.name}')")

    # Mended, and told of.
    psql("analyst", f"SELECT sqs_sync_alter('contacts', queue => '{queue.name}')",
         "CALL sqs_sync_run_and_wait('contacts')")
    assert [json.loads(message.body)["name"] for message in queue.drain()] == ["Nell"]
    wait_until(lambda: len(receiver.posts) == 2 and len(mail.mails) == 3, "both tell that it is over")
    assert "RECOVERED" in receiver.posts[1].json["blocks"][0]["text"]["text"]
    assert "RECOVERED" in mail.mails[2]["Subject"]

    # The page, for those who would rather look.
    page = psql("analyst", "SELECT sqs_sync_report('contacts')")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>")
    for words in ("contacts: slack", "contacts: mail", f"{queue.name}s", "ListQueues"):
        assert words in page, words
