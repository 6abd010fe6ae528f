"""As whom messages are sent: with access keys, in a role of another account, or as the server itself, which
only a superuser lends."""

import datetime

import psycopg
import pytest
from psycopg import sql

from support.accounts import Account, allow
from support.permitted import SEND
from support.roles import EXTERNAL_ID, IN_ROLE, KEYS, LENT, aws, come_as, create, database, on_own, options_of, own, peer
from support.running import fresh_name
from support.scripted import ROLE, Scripted

# A role ---------------------------------------------------------------------------------------


def test_messages_are_sent_in_the_role_and_its_session_names_sync_and_database(database, peer):
    come_as(database, IN_ROLE)
    run = database.run(create(database))
    assert (run.state, run.published) == ("succeeded", 300), run.error
    assumed = peer.of("AssumeRole")
    assert {(asked.key, asked.body["RoleArn"], asked.body["ExternalId"]) for asked in assumed} == {
        ("AKIAMAPPING", ROLE, EXTERNAL_ID)}
    # sqs_sync_create asks nobody.
    assert [asked.body["RoleSessionName"] for asked in assumed] == [f"orders@{database.name}"]
    assert {(asked.key, asked.token) for asked in peer.sent()} == {("ASIA1", "token1")}


def test_a_role_of_another_account_takes_messages_by_its_external_id_alone(database, aws):
    database.point_at(aws.endpoint)
    database.admin.execute(sql.SQL("ALTER SERVER sqs OPTIONS (SET sts_endpoint_url {})").format(aws.endpoint))
    account, other = Account(aws, "111111111111"), Account(aws, "222222222222")
    queue = other.create_queue(fresh_name("theirs"))
    user, keys = account.create_user(allow(("sts:AssumeRole", "*")))
    role = other.create_role(f"arn:aws:iam::111111111111:user/{user}", EXTERNAL_ID,
                             allow((SEND, [other.arn(queue)]), ("sqs:ListQueues", "*")))
    come_as(database, {**keys, "role_arn": role, "external_id": EXTERNAL_ID})
    name = create(database, queue=queue.name)
    run = database.run(name)
    assert (run.state, run.published) == ("succeeded", 300), run.error
    assert database.rows("SELECT name FROM sqs_sync_queues('sqs')") == [(queue.name,)]
    assert len(queue.drain()) == 300

    database.analyst.execute("INSERT INTO orders VALUES (301)")
    for wrong in ({"external_id": "another"}, {}):
        come_as(database, {**keys, "role_arn": role, **wrong})
        failed = database.run(name)
        assert (failed.state, failed.sqlstate, failed.in_doubt) == ("failed", "28000", 0)
        assert role in failed.error and "AccessDenied" in failed.error and user in failed.error
        assert "external id" in failed.hint and "sqs_sync_trust_policy" in failed.hint
    assert queue.drain() == []


def test_what_a_session_cannot_be_called_is_left_out_of_its_name(database, peer):
    come_as(database, IN_ROLE)
    create(database, name="Käufer & Konten/" + "x" * 46)
    assert database.run("Käufer & Konten/" + "x" * 46).state == "succeeded"
    [assumed] = peer.of("AssumeRole")
    name = assumed.body["RoleSessionName"]
    assert name.startswith("K-ufer---Konten-xxx") and name.endswith("@" + database.name) and len(name) == 64


def test_keys_of_a_role_are_renewed_before_they_end_and_the_run_goes_on(database, peer):
    come_as(database, IN_ROLE)
    peer.session_seconds = 2
    create(database, retry_for="1 minute")
    peer.refuse_sqs = lambda asked: (400, "ThrottlingException") if len(peer.of("AssumeRole")) < 3 else None
    run = database.run("orders")
    assert (run.state, run.published) == ("succeeded", 300), run.error
    assert 3 <= len(peer.of("AssumeRole")) <= 5


def test_a_role_whose_keys_are_refused_is_assumed_once_more_by_all_requests_together(database, peer):
    come_as(database, IN_ROLE)
    peer.refuse_sqs = lambda asked: (403, "ExpiredTokenException") if asked.key == "ASIA1" else None
    run = database.run(create(database))
    assert (run.state, run.published, run.in_doubt) == ("succeeded", 300, 0), run.error
    assert len(peer.of("AssumeRole")) == 2


@pytest.mark.parametrize("status, code", [(403, "ExpiredTokenException"), (403, "NeverHeardOf"), (401, "NeverHeardOf")])
def test_a_role_that_is_refused_again_ends_the_run_by_name(database, peer, status, code):
    come_as(database, IN_ROLE)
    peer.refuse_sqs = lambda asked: (status, code)
    failed = database.run(create(database))
    assert (failed.state, failed.sqlstate, failed.published, failed.in_doubt) == ("failed", "28000", 0, 0)
    assert ROLE in failed.error and code in failed.error and failed.hint
    assert len(peer.of("AssumeRole")) == 2
    assert "token1" not in failed.error + failed.hint


def test_an_sts_that_is_down_is_tried_again_and_named_in_the_end(database, peer):
    come_as(database, IN_ROLE)
    peer.refuse_sts = lambda asked: (503, "ServiceUnavailable") if len(peer.of("AssumeRole")) < 3 else None
    assert database.run(create(database)).published == 300
    peer.refuse_sts = lambda asked: (503, "ServiceUnavailable")
    database.alter_sync("orders", retry_for="1 second")
    database.analyst.execute("INSERT INTO orders VALUES (301)")
    failed = database.run("orders")
    assert (failed.state, failed.in_doubt) == ("failed", 0)
    assert ROLE in failed.error and peer.endpoint in failed.error


@pytest.mark.parametrize("status, code, advice", [
    (403, "InvalidClientTokenId", "access key"), (400, "UnrecognizedClientException", "access key"),
    (403, "SignatureDoesNotMatch", "clock"), (400, "InvalidSignatureException", "clock"), (400, "RequestExpired", "clock"),
    (403, "RequestTimeTooSkewed", "clock"), (403, "ExpiredTokenException", "expired"), (400, "IncompleteSignature", "clock"),
    (401, "NeverHeardOf", "access key"), (403, "NeverHeardOf", "access key")])
def test_refused_keys_end_the_run_and_it_says_what_to_do(database, peer, status, code, advice):
    come_as(database, KEYS)
    peer.refuse_sqs = lambda asked: (status, code)
    failed = database.run(create(database))
    assert (failed.state, failed.sqlstate, failed.published, failed.in_doubt) == ("failed", "28000", 0, 0)
    assert code in failed.error and peer.endpoint in failed.error and advice in failed.hint
    assert "token1" not in failed.error + failed.hint, "what SQS says of a signature quotes what was signed"


@pytest.mark.parametrize("options", [KEYS, IN_ROLE], ids=["keys", "role"])
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_corrected_by_that_of_the_service(database, peer, options, hours):
    come_as(database, options)
    peer.clock_is_ahead = datetime.timedelta(hours=hours)
    peer.session_seconds = 3 * 3600

    def refuse(asked):
        return (403, "SignatureDoesNotMatch") if abs(asked.at - peer.now()) > datetime.timedelta(minutes=5) else None

    peer.refuse_sqs = peer.refuse_sts = refuse
    run = database.run(create(database))
    assert (run.state, run.published, run.in_doubt) == ("succeeded", 300, 0), run.error


def test_no_redirect_of_sts_is_followed(database, peer):
    elsewhere = Scripted()
    come_as(database, IN_ROLE)
    peer.headers = {"Location": elsewhere.endpoint}
    peer.refuse_sts = lambda asked: (307, "Moved")
    failed = database.run(create(database, retry_for="0"))
    assert failed.state == "failed" and ROLE in failed.error
    assert elsewhere.asked == []
    elsewhere.stop()


def test_that_a_role_is_assumed_is_in_the_log_of_calls_without_a_word_of_what_was_said(database, peer):
    come_as(database, IN_ROLE)
    name = create(database, retry_for="0")
    database.analyst.execute("SELECT sqs_sync_log(%s, 'all')", (name,))
    assert database.run(name).published == 300
    peer.refuse_sts = lambda asked: (403, "AccessDenied")
    database.analyst.execute("INSERT INTO orders VALUES (301)")
    assert database.run(name).state == "failed"
    calls = database.rows("SELECT * FROM sqs_sync.requests WHERE operation = 'AssumeRole' ORDER BY request_id")
    assert [(call.queue, call.attempt, call.status, call.request, call.response) for call in calls] == [
        (ROLE, 1, 200, None, None), (ROLE, 1, 403, None, None)]
    assert calls[0].error is None and ROLE in calls[1].error
    everything = str(database.rows("SELECT r::text FROM sqs_sync.requests r"))
    assert not any(secret in everything for secret in (EXTERNAL_ID, "hush", "token1"))


# The server's own identity ---------------------------------------------------------------------

@pytest.mark.parametrize("options, key", [
    (KEYS, "AKIAMAPPING"), (IN_ROLE, "ASIA1"), ({**KEYS, "ambient_credentials": "false"}, "AKIAMAPPING")], ids=["keys", "role", "off"])
def test_nothing_is_signed_by_the_servers_own_credentials_unless_they_are_lent(on_own, peer, options, key):
    come_as(on_own, options)
    create(on_own)
    assert on_own.run("orders").published == 300
    assert on_own.rows("SELECT * FROM sqs_sync_queues('sqs')") and on_own.rows("SELECT * FROM sqs_sync_check('orders')")
    assert on_own.value("SELECT message_id FROM sqs_sync_test('orders')")
    assert peer.keys() == {key} if key == "AKIAMAPPING" else all(k.startswith("ASIA") for k in peer.keys())
    assert {asked.key for asked in peer.of("AssumeRole")} <= {"AKIAMAPPING"}
    assert peer.of("AssumeRoleWithWebIdentity") == []


def test_refused_keys_are_not_replaced_by_the_servers_own(on_own, peer):
    come_as(on_own, KEYS)
    peer.refuse_sqs = lambda asked: (403, "InvalidClientTokenId")
    failed = on_own.run(create(on_own))
    assert (failed.state, failed.sqlstate) == ("failed", "28000")
    assert peer.keys() == {"AKIAMAPPING"} and peer.of("AssumeRole", "AssumeRoleWithWebIdentity") == []


def test_the_servers_own_identity_is_used_where_a_superuser_lends_it(on_own, peer):
    come_as(on_own, LENT["ambient_credentials"])
    assert on_own.run(create(on_own)).published == 300
    assert {(asked.key, asked.token) for asked in peer.sent()} == {("AKIASERVER", "token-server")}


def test_the_servers_own_identity_assumes_a_role(on_own, peer):
    come_as(on_own, {**LENT["ambient_credentials"], "role_arn": ROLE, "external_id": EXTERNAL_ID})
    assert on_own.run(create(on_own)).published == 300
    assert [(asked.key, asked.token) for asked in peer.of("AssumeRole")] == [("AKIASERVER", "token-server")]
    assert peer.keys() == {"ASIA1"}


def test_a_profile_is_used_where_a_superuser_names_it(on_own, peer):
    come_as(on_own, LENT["profile"])
    assert on_own.run(create(on_own)).published == 300
    assert peer.keys() == {"AKIAPROFILE"}
    come_as(on_own, {"profile": "nobody"})
    on_own.analyst.execute("INSERT INTO orders VALUES (301)")
    failed = on_own.run("orders")
    assert (failed.state, failed.sqlstate) == ("failed", "28000") and "nobody" in failed.error and failed.hint


def test_a_web_identity_gives_its_token_for_the_keys_of_its_role(on_own, peer):
    come_as(on_own, {"web_identity_token_file": str(on_own.cluster.home / "token"), "role_arn": ROLE})
    assert on_own.run(create(on_own)).published == 300
    [assumed] = peer.of("AssumeRoleWithWebIdentity")
    assert (assumed.key, assumed.body["WebIdentityToken"], assumed.body["RoleArn"]) == (None, "the.web.token", ROLE)
    assert peer.keys() == {"ASIA1"}


def test_a_token_that_cannot_be_read_is_said_by_its_file(on_own):
    come_as(on_own, LENT["web_identity_token_file"])
    failed = on_own.run(create(on_own))
    assert (failed.state, failed.sqlstate) == ("failed", "28000")
    assert "/nowhere/token" in failed.error and failed.hint


def test_a_server_without_an_identity_of_its_own_says_so(database):
    come_as(database, LENT["ambient_credentials"])
    failed = database.run(create(database))
    assert (failed.state, failed.sqlstate) == ("failed", "28000")
    assert "no AWS credentials of its own" in failed.error and failed.hint


# Who may lend it ------------------------------------------------------------------------------


@pytest.mark.parametrize("option", sorted(LENT))
def test_only_a_superuser_lends_the_servers_identity(on_own, option):
    on_own.admin.execute("DROP USER MAPPING FOR analyst SERVER sqs")
    on_own.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst")
    on_own.analyst.execute("CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1')")
    for role, server in (("analyst", "sqs"), ("analyst", "mine"), ("PUBLIC", "mine")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=option) as refused:
            on_own.analyst.execute(sql.SQL(f"CREATE USER MAPPING FOR {role} SERVER {server} OPTIONS ({{}})").format(
                options_of(LENT[option])))
        assert refused.value.diag.message_hint
    on_own.analyst.execute(sql.SQL("CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS ({})").format(options_of(IN_ROLE)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        on_own.analyst.execute(sql.SQL(
            "ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (DROP access_key_id, DROP secret_access_key,"
            " DROP external_id, DROP role_arn, {})").format(
            sql.SQL(", ").join(sql.SQL("ADD {} {}").format(sql.Identifier(n), v) for n, v in LENT[option].items())))


@pytest.mark.parametrize("option", sorted(LENT))
def test_a_mapping_that_lends_it_is_changed_by_superusers_only(on_own, option):
    come_as(on_own, LENT[option])
    on_own.admin.execute("ALTER SERVER sqs OWNER TO postgres; CREATE ROLE steward LOGIN")
    steward = on_own.connection_of("steward")
    try:
        on_own.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO steward; ALTER SERVER sqs OWNER TO steward")
        for connection in (on_own.analyst, steward):
            for change in ("ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (ADD external_id 'mine')",
                           "ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (ADD role_arn 'arn:aws:iam::666666666666:role/mine')",
                           f"ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (DROP {option}, ADD access_key_id 'a', ADD secret_access_key 'b')",
                           "DROP USER MAPPING FOR analyst SERVER sqs", "DROP USER MAPPING IF EXISTS FOR analyst SERVER sqs",
                           "DO $$ BEGIN EXECUTE 'DROP USER MAPPING FOR analyst SERVER sqs'; END $$"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(change)
    finally:
        steward.close()
        on_own.admin.execute("ALTER SERVER sqs OWNER TO postgres; DROP OWNED BY steward; DROP ROLE steward")
    on_own.admin.execute("DROP USER MAPPING FOR analyst SERVER sqs")


def test_a_mapping_that_is_not_as_a_superuser_has_allowed_it_is_not_used(on_own, peer):
    """However it came about: here by hand, in Postgres's own catalog."""
    come_as(on_own, {**KEYS, "role_arn": ROLE})
    create(on_own)
    on_own.admin.execute("UPDATE pg_user_mapping SET umoptions = '{ambient_credentials=true,role_arn=arn:aws:iam::666666666666:role/mine}'")
    failed = on_own.run("orders")
    assert (failed.state, failed.sqlstate) == ("failed", "42501")
    assert "ambient_credentials" in failed.error and "superuser" in failed.error and failed.hint
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        on_own.rows("SELECT * FROM sqs_sync_queues('sqs')")
    assert [item.ok for item in on_own.rows("SELECT * FROM sqs_sync_check('orders')") if item.item == "privileges"] == [False]
    assert peer.asked == []
    on_own.admin.execute("ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (SET role_arn 'arn:aws:iam::123456789012:role/sqs-sync')")
    assert on_own.run("orders").state == "succeeded"


def test_who_has_lent_it_is_recorded(on_own):
    come_as(on_own, LENT["ambient_credentials"])
    [(who, digest)] = on_own.admin.execute("SELECT allowed_by, length(digest) FROM sqs_sync.lent_identity").fetchall()
    assert (who, digest) == ("postgres", 32)


# Options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, words, sqlstate", [
    ({"ambient_credentials": "false"}, "access_key_id", "HV002"),
    ({"access_key_id": "a"}, "secret_access_key", "HV002"),
    ({"session_token": "t"}, "access_key_id", "HV002"),
    ({"role_arn": ROLE}, "access_key_id", "HV002"),
    ({**KEYS, "external_id": "x7Qm"}, "role_arn", "HV002"),
    ({**KEYS, "role_arn": "sqs-sync"}, "role_arn", "22023"),
    ({**KEYS, "role_arn": "arn:aws:iam::123456789012:user/someone"}, "role_arn", "22023"),
    ({**KEYS, "role_arn": "arn:aws:iam::1234:role/sqs-sync"}, "role_arn", "22023"),
    ({**KEYS, "role_arn": ROLE, "external_id": "x"}, "external_id", "22023"),
    ({**KEYS, "role_arn": ROLE, "external_id": "a b"}, "external_id", "22023"),
    ({**KEYS, "ambient_credentials": "true"}, "ambient_credentials", "22023"),
    ({"profile": "p", "ambient_credentials": "true"}, "profile", "22023"),
    ({"ambient_credentials": "maybe"}, "ambient_credentials", "22023"),
    ({"web_identity_token_file": "/t"}, "role_arn", "HV002"),
    ({"web_identity_token_file": "t", "role_arn": ROLE}, "web_identity_token_file", "22023"),
    ({"web_identity_token_file": "/t", "role_arn": ROLE, "external_id": "x7Qm"}, "external_id", "22023"),
], ids=str)
def test_options_that_do_not_go_together_are_refused_by_name(lasting_database, options, words, sqlstate):
    with pytest.raises(psycopg.Error, match=words) as refused, lasting_database.admin.transaction():
        come_as(lasting_database, options)
    assert refused.value.sqlstate == sqlstate
    assert not any(secret in str(refused.value) for secret in ("hush", "AKIA", "x7Qm"))


def test_a_role_of_another_partition_is_refused_by_name(database):
    come_as(database, {**KEYS, "role_arn": "arn:aws-cn:iam::123456789012:role/sqs-sync"})
    failed = database.run(create(database))
    assert (failed.state, failed.sqlstate) == ("failed", "22023")
    assert "aws-cn" in failed.error and failed.hint


def test_only_a_superuser_says_where_roles_are_assumed(database):
    database.admin.execute("GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="sts_endpoint_url"):
        database.analyst.execute("CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync"
                                 " OPTIONS (region 'us-east-1', sts_endpoint_url 'http://127.0.0.1:1')")
