"""What the credentials may do at AWS: with the least policy all works, and what it leaves out is said.

The emulator checks signatures, session tokens and policies here. It asks for a right of its own,
sqs:SendMessageBatch, where AWS asks for sqs:SendMessage: so each policy says sqs:SendMessage* here.
"""

import json
import re

import pytest

from support.accounts import Account, allow, assume
from support.cluster import ROOT
from support.deadline import wait_until
from support.emulator import Emulator
from support.permitted import SEND, come_as
from support.proxy import Proxy
from support.running import fresh_name


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    emulator = Emulator(tmp_path_factory.mktemp("guarded") / "log", AUTH="true").start()
    yield emulator
    emulator.stop()


@pytest.fixture
def account(aws):
    return Account(aws, "111111111111")


@pytest.fixture
def standard(account):
    return account.create_queue(fresh_name("orders"))


@pytest.fixture
def fifo(account):
    return account.create_queue(fresh_name("orders") + ".fifo")


@pytest.fixture
def orders(database, aws):
    database.point_at(aws.endpoint)
    database.analyst.execute("CREATE TABLE orders (id integer PRIMARY KEY, queue text);"
                             " INSERT INTO orders VALUES (1), (2)")
    return database


def create(database, queue, **options):
    name = fresh_name("sync")
    if "body_column" not in options:
        options["fields"] = '["id"]'
    database.create_sync(name, queue, **{"model": "orders", "attributes": {}, "retry_for": "2 seconds", **options})
    return name


def bodies(queue):
    return sorted(message.body for message in queue.drain())


def documented_policy(*arns):
    """The policy that docs/security.md says suffices, for these queues."""
    [policy] = [json.loads(policy) for policy in re.findall(
        r"^```json\n(.*?)^```$", (ROOT / "docs/security.md").read_text(), re.DOTALL | re.MULTILINE) if "sqs:SendMessage" in policy]
    send, names = policy["Statement"]
    assert send["Action"] == "sqs:SendMessage" and names == {
        "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
    send.update(Action=SEND, Resource=list(arns))
    return policy


def test_with_the_documented_policy_a_queue_may_be_given_in_each_way(orders, account, standard, fifo):
    _, keys = account.create_user(documented_policy(account.arn(standard), account.arn(fifo)))
    come_as(orders, **keys)
    for queue, options in ((standard, {}), (fifo, {"group_id": "all"})):
        for given in (queue.name, account.url(queue), account.arn(queue)):
            run = orders.run(create(orders, given, **options))
            assert (run.state, run.published) == ("succeeded", 2), run.error
            assert bodies(queue) == ['{"id":1}', '{"id":2}']


def test_with_the_documented_policy_a_column_chooses_among_standard_and_fifo_queues(orders, account, standard, fifo):
    _, keys = account.create_user(documented_policy(account.arn(standard), account.arn(fifo)))
    come_as(orders, **keys)
    orders.analyst.execute("UPDATE orders SET queue = CASE id WHEN 1 THEN %s ELSE %s END", (standard.name, fifo.name))
    run = orders.run(create(orders, "{{row.queue}}", group_id="group-{{row.id}}"))
    assert (run.state, run.published) == ("succeeded", 2), run.error
    assert (bodies(standard), bodies(fifo)) == (['{"id":1}'], ['{"id":2}'])


def test_with_the_documented_policy_what_cannot_be_asked_of_a_queue_is_left_to_sqs(orders, account):
    """Its own maximum size, and what its deduplication ids are unlike within: sqs:GetQueueAttributes is an extra."""
    short = account.create_queue(fresh_name("short"), MaximumMessageSize="1024")
    fifo = account.create_queue(fresh_name("ids") + ".fifo", DeduplicationScope="messageGroup",
                                FifoThroughputLimit="perMessageGroupId")
    _, keys = account.create_user(documented_policy(account.arn(short), account.arn(fifo)))
    come_as(orders, **keys)
    orders.analyst.execute("UPDATE orders SET queue = repeat('x', 2000) WHERE id = 2")
    name = create(orders, short.name, body_column="queue", format="text", model="SELECT id, coalesce(queue, 'x') AS queue FROM orders")
    run = orders.run(name)
    assert (run.state, run.published, run.rejected) == ("partly_failed", 1, 1), run.error
    [rejection] = orders.rejections(name)
    assert json.loads(rejection.key) == {"id": 2} and rejection.code != "message_too_long", "it is SQS that says so"
    assert bodies(short) == ["x"]

    run = orders.run(create(orders, fifo.name, group_id="{{row.id}}", dedup_id="the-same"))
    assert (run.published, run.rejected) == (1, 1), "an id is taken to be the whole queue's"
    assert len(fifo.drain()) == 1


def test_without_ListQueues_a_url_or_arn_works_and_a_name_says_which_right_is_missing(orders, account, standard, fifo):
    user, keys = account.create_user(allow((SEND, [account.arn(standard), account.arn(fifo)])))
    come_as(orders, **keys)
    for queue, options in ((standard, {}), (fifo, {"group_id": "all"})):
        for given in (account.url(queue), account.arn(queue)):
            run = orders.run(create(orders, given, **options))
            assert (run.state, run.published) == ("succeeded", 2), run.error
        failed = orders.run(create(orders, queue.name, **options))
        assert (failed.state, failed.sqlstate, failed.published) == ("failed", "HV00R", 0)
        for word in (queue.name, user, "sqs:ListQueues"):
            assert word in failed.error
        assert 'sqs:ListQueues on "*"' in failed.hint and "ARN" in failed.hint
        assert len(queue.drain()) == 4


def test_a_name_is_found_on_a_later_page_of_the_queues_that_begin_with_it(orders, aws):
    """SQS lists at most 1,000 queues a page."""
    account = Account(aws, "333333333333")
    for number in range(1000):
        account.create_queue(f"a{number:04}")
    queue = account.create_queue("a")
    listed = account.sqs.list_queues(QueueNamePrefix="a", MaxResults=1000)
    assert "NextToken" in listed and queue.name not in {url.rpartition("/")[2] for url in listed["QueueUrls"]}
    _, keys = account.create_user(documented_policy(account.arn(queue)))
    come_as(orders, **keys)
    assert orders.run(create(orders, "a")).published == 2
    assert bodies(queue) == ['{"id":1}', '{"id":2}']


def test_ListQueues_on_single_queues_is_none_and_the_hint_says_on_what_it_is(orders, account, standard):
    """As the example policy of the reference page has it; AWS knows the right for all queues together alone."""
    arn = account.arn(standard)
    _, keys = account.create_user(allow(([SEND, "sqs:ListQueues"], [arn])))
    come_as(orders, **keys)
    failed = orders.run(create(orders, standard.name))
    assert failed.state == "failed" and 'sqs:ListQueues on "*"' in failed.hint
    assert orders.run(create(orders, arn)).published == 2
    assert len(standard.drain()) == 2


def test_a_queue_that_the_policy_leaves_out_fails_the_run_with_the_right_and_the_queue(orders, account, standard):
    denied = account.create_queue(fresh_name("payroll"))
    _, keys = account.create_user(documented_policy(account.arn(standard)))
    come_as(orders, **keys)
    failed = orders.run(create(orders, denied.name))
    assert (failed.state, failed.sqlstate, failed.in_doubt) == ("failed", "HV00R", 0)
    assert denied.name in failed.error and "AccessDenied" in failed.error and "sqs:SendMessage" in failed.hint
    assert denied.drain() == []


def test_a_row_that_chooses_such_a_queue_is_rejected_and_the_others_arrive(orders, account, standard):
    denied = account.create_queue(fresh_name("payroll"))
    _, keys = account.create_user(documented_policy(account.arn(standard)))
    come_as(orders, **keys)
    orders.analyst.execute("UPDATE orders SET queue = CASE id WHEN 1 THEN %s ELSE %s END", (denied.name, standard.name))
    name = create(orders, "{{row.queue}}")
    run = orders.run(name)
    assert (run.state, run.published, run.rejected) == ("partly_failed", 1, 1)
    [rejection] = orders.rejections(name)
    assert json.loads(rejection.key) == {"id": 1} and "AccessDenied" in rejection.code
    assert denied.name in rejection.reason and "sqs:SendMessage" in rejection.hint
    assert (bodies(standard), denied.drain()) == (['{"id":2}'], [])


def test_nobody_else_may_do_what_the_policy_allows(orders, account, standard):
    """What these tests show, the emulator decides: without a policy nothing works."""
    _, keys = account.create_user(allow(("sqs:ListQueues", "*")))
    come_as(orders, **keys)
    assert orders.run(create(orders, account.url(standard))).state == "failed"
    come_as(orders, **{**keys, "secret_access_key": "wrong"})
    refused = orders.run(create(orders, account.url(standard)))
    assert (refused.state, refused.sqlstate) == ("failed", "28000")
    assert "secret access key" in refused.hint


def test_a_queue_of_another_account_is_reached_by_its_url_or_arn_if_its_policy_lets_us_in(orders, aws, account):
    other = Account(aws, "222222222222")
    queue = other.create_queue(fresh_name("theirs"))
    user, keys = account.create_user(documented_policy(other.arn(queue)))
    come_as(orders, **keys)
    by_arn = create(orders, other.arn(queue))
    assert orders.run(by_arn).state == "failed"
    grant = {**allow((SEND, other.arn(queue)))["Statement"][0],
             "Principal": {"AWS": f"arn:aws:iam::{account.number}:user/{user}"}}
    other.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [grant]})})
    for name in (by_arn, create(orders, other.url(queue))):
        run = orders.run(name)
        assert (run.state, run.published) == ("succeeded", 2), run.error
    assert len(queue.drain()) == 4


def test_the_keys_of_a_role_of_another_account_work_with_their_session_token_alone(orders, aws, account):
    """Whoever assumes the role gives its keys to the mapping."""
    other = Account(aws, "222222222222")
    queue = other.create_queue(fresh_name("theirs"))
    user, keys = account.create_user(allow(("sts:AssumeRole", "*")))
    role = other.create_role(f"arn:aws:iam::{account.number}:user/{user}", "x7Qm", documented_policy(other.arn(queue)))
    session = assume(aws, keys, role, "x7Qm")
    come_as(orders, **session)
    run = orders.run(create(orders, queue.name))
    assert (run.state, run.published) == ("succeeded", 2), run.error
    assert len(queue.drain()) == 2
    for wrong in ({**session, "session_token": "another"}, keys):
        come_as(orders, **wrong)
        assert orders.run(create(orders, other.url(queue))).state == "failed"
    assert queue.drain() == []


def test_a_session_that_has_expired_fails_the_run_and_with_new_keys_the_next_goes_on(orders, aws, account, standard):
    user, keys = account.create_user(allow(("sts:AssumeRole", "*")))
    role = account.create_role(f"arn:aws:iam::{account.number}:user/{user}", "x7Qm", documented_policy(account.arn(standard)))
    come_as(orders, **assume(aws, keys, role, "x7Qm"))
    name = create(orders, standard.name)
    assert orders.run(name).published == 2
    orders.analyst.execute("INSERT INTO orders VALUES (3)")
    come_as(orders, **assume(aws, keys, role, "x7Qm", seconds=0))
    failed = orders.run(name)
    assert (failed.state, failed.sqlstate, failed.in_doubt) == ("failed", "28000", 0)
    assert "expired" in failed.hint.lower() and "new credentials" in failed.hint
    come_as(orders, **assume(aws, keys, role, "x7Qm"))
    assert orders.run(name).published == 1
    assert bodies(standard) == ['{"id":1}', '{"id":2}', '{"id":3}']


@pytest.fixture
def proxy(aws):
    proxy = Proxy(aws.port)
    yield proxy
    proxy.stop()


def test_a_right_that_is_taken_while_a_run_publishes_loses_nothing_and_doubles_nothing(orders, account, standard, proxy):
    policy = documented_policy(account.arn(standard))
    user, keys = account.create_user(policy)
    come_as(orders, **keys)
    orders.point_at(proxy.endpoint)
    orders.analyst.execute("INSERT INTO orders SELECT i FROM generate_series(3, 500) i")
    name = create(orders, standard.name)
    proxy.throttle(requests_a_second=20)
    run_id = orders.start_run(name)
    wait_until(lambda: 0 < orders.run_row(run_id).published < 400, "some messages are told")
    account.allow_user(user, allow(("sqs:ListQueues", "*")))

    failed = orders.wait_for(run_id)

    assert (failed.state, failed.sqlstate, failed.in_doubt) == ("failed", "HV00R", 0)
    assert 0 < failed.published < 500 and "AccessDenied" in failed.error
    account.allow_user(user, policy)
    proxy.pass_on()
    assert orders.run(name).published == 500 - failed.published
    assert sorted(json.loads(m.body)["id"] for m in standard.drain()) == list(range(1, 501))
