"""sqs_sync_trust_policy: what to paste into AWS, so that a role takes messages and nothing less does."""

import json
import re

import psycopg
import pytest
from psycopg import sql

from support.accounts import Account, allow
from support.cluster import ROOT
from support.roles import EXTERNAL_ID, IN_ROLE, KEYS, LENT, aws, come_as, create, database, on_own, own, peer
from support.running import fresh_name
from support.scripted import ROLE


def steps(database, connection=None, **arguments):
    """What there is to paste, by the number of its step."""
    arguments = {"server": "sqs", **arguments}
    call = sql.SQL("SELECT * FROM sqs_sync_trust_policy({})").format(
        sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(name), value) for name, value in arguments.items()))
    rows = (connection or database.analyst).execute(call).fetchall()
    assert [row.step for row in rows] == list(range(1, 7)) and all(row.what.endswith(":") for row in rows)
    return {row.step: row.paste for row in rows}


def test_the_policies_are_word_for_word_those_of_the_documentation(database):
    database.admin.execute("ALTER SERVER sqs OPTIONS (SET region 'eu-west-1')")
    come_as(database, IN_ROLE)
    pasted = steps(database, queues="customers, orders")
    documented = re.findall(r"^```json\n(.*?)\n```$", (ROOT / "docs/security.md").read_text(), re.DOTALL | re.MULTILINE)
    assert documented == [pasted[3], pasted[4]]


def test_a_role_made_by_the_steps_takes_messages_and_nothing_less_does(database, aws):
    """Each step is done as it is pasted. (The emulator asks for sqs:SendMessageBatch too.)"""
    database.point_at(aws.endpoint)
    database.admin.execute(sql.SQL("ALTER SERVER sqs OPTIONS (SET sts_endpoint_url {})").format(aws.endpoint))
    account, other = Account(aws, "111111111111"), Account(aws, "222222222222")
    queue, unused = other.create_queue(fresh_name("theirs")), other.create_queue(fresh_name("unused"))
    user, keys = account.create_user(allow(("sqs:ListQueues", "*")))
    come_as(database, keys)
    name = create(database, queue=queue.name)
    pasted = steps(database, account="222222222222")
    assert pasted[1] == f"arn:aws:iam::111111111111:user/{user}"

    other.iam.create_role(RoleName="sqs-sync", AssumeRolePolicyDocument=pasted[3])
    other.iam.put_role_policy(RoleName="sqs-sync", PolicyName="only", PolicyDocument=pasted[4].replace('SendMessage"', 'SendMessage*"'))
    account.allow_user(user, json.loads(pasted[5]))
    database.analyst.execute(pasted[6])

    run = database.run(name)
    assert (run.state, run.published, len(queue.drain())) == ("succeeded", 300, 300), run.error
    assert database.run(create(database, name="unused", queue=unused.name)).sqlstate == "HV00R"
    again = steps(database, queues=queue.name)
    assert [again[step] for step in (2, 3, 5)] == [pasted[step] for step in (2, 3, 5)] and "already" in again[6]
    database.analyst.execute("ALTER USER MAPPING FOR analyst SERVER sqs OPTIONS (SET external_id 'another')")
    database.analyst.execute("INSERT INTO orders VALUES (301)")
    assert database.run(name).sqlstate == "28000"


def resources(pasted):
    return json.loads(pasted[4])["Statement"][0]["Resource"]


def test_the_queues_of_the_policy_are_those_that_syncs_use_unless_they_are_given(database):
    come_as(database, KEYS)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="sqs") as refused:
        steps(database)
    assert "queues =>" in refused.value.diag.message_hint
    database.admin.execute("ALTER SERVER sqs OPTIONS (ADD allowed_queues '*')")
    assert resources(steps(database)) == ["arn:aws:sqs:us-east-1:111111111111:*"]
    for name, queue in {"a": "orders", "b": "parts-{{row.id}}", "c": "arn:aws:sqs:us-east-1:333333333333:theirs", "d": "orders"}.items():
        create(database, name=name, queue=queue)
    database.analyst.execute("SELECT sqs_sync_on('a', 'removed', queue => 'gone.fifo', group_id => 'all')")
    assert resources(steps(database)) == [
        "arn:aws:sqs:us-east-1:111111111111:gone.fifo", "arn:aws:sqs:us-east-1:111111111111:orders",
        "arn:aws:sqs:us-east-1:111111111111:parts-*", "arn:aws:sqs:us-east-1:333333333333:theirs"]
    assert resources(steps(database, queues="x-*,y", account="222222222222")) == [
        "arn:aws:sqs:us-east-1:222222222222:x-*", "arn:aws:sqs:us-east-1:222222222222:y"]


def test_a_session_is_named_by_its_role_in_the_trust_policy(database, peer):
    peer.caller = "arn:aws:sts::111111111111:assumed-role/postgres-server/i-0123456789"
    come_as(database, KEYS)
    assert steps(database, queues="orders")[1] == "arn:aws:iam::111111111111:role/postgres-server"


def test_whose_keys_a_mapping_has_is_told_to_whoever_may_change_it(on_own):
    other = on_own.connection_of("other")
    on_own.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other")
    on_own.admin.execute("CREATE USER MAPPING FOR PUBLIC SERVER sqs OPTIONS (access_key_id 'AKIAPUBLIC', secret_access_key 'hush',"
                         f" role_arn '{ROLE}', external_id '{EXTERNAL_ID}')")
    assert EXTERNAL_ID in steps(on_own, on_own.admin, role="other", queues="orders")[3]
    for connection, arguments in ((other, {}), (other, {"role": "analyst"}), (other, {"role": "other"}), (on_own.analyst, {"role": "other"})):
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            steps(on_own, connection, queues="orders", **arguments)
        assert EXTERNAL_ID not in str(refused.value) and refused.value.diag.message_hint
    come_as(on_own, LENT["ambient_credentials"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        steps(on_own, queues="orders")
    assert steps(on_own, on_own.admin, role="analyst", queues="orders")
    other.close()


@pytest.mark.parametrize("arguments, words", [
    ({"account": "12"}, "account"), ({"queues": "a b"}, "queues"), ({"queues": ""}, "queues"), ({"server": None}, "server")])
def test_arguments_that_cannot_be_are_refused_by_name_and_nobody_is_asked(database, peer, arguments, words):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=words):
        steps(database, **{"queues": "orders", **arguments})
    assert peer.asked == []
    with pytest.raises(psycopg.errors.UndefinedObject, match="nobody"):
        steps(database, role="nobody", queues="orders")
