"""The reference page's example models and messages, from end to end: docs/reference-page.md says which sentence of it
each test is about."""

import json
import re

import pytest
from psycopg import errors, sql

from support.cluster import ROOT
from support.deadline import wait_until
from support.liquid_templates import MODEL, TEMPLATES
from support.running import fresh_name

JOHN = """
CREATE TABLE contacts (full_name text, age integer, email_address text PRIMARY KEY, phone_number text);
INSERT INTO contacts VALUES ('John Doe', 30, 'john@example.com', '+14158675309');
"""

# As the page has it, white space included.
EDITOR = """{
  "name": "{{row.full_name}}",
  "age": {{row.age}},
  "contact_info": [
    {
      "type": "email",
      "value": "{{row.email_address}}"
    },
    {
      "type": "phone",
      "value": "{{row.phone_number}}"
    }
  ]
}"""

TOLD_OF_JOHN = {
    "name": "John Doe", "age": 30,
    "contact_info": [{"type": "email", "value": "john@example.com"}, {"type": "phone", "value": "+14158675309"}],
}

ALICE_BOB_CAROL = """
CREATE TABLE subscribers (email text PRIMARY KEY, first_name text, last_name text);
INSERT INTO subscribers VALUES ('alice.doe@example.com', 'Alice', 'Doe'), ('bob.doe@example.com', 'Bob', 'Doe'),
                               ('carol.doe@example.com', 'Carol', 'Doe');
"""
FIELDS = '{"customer_first_name": "first_name", "customer_last_name": "last_name", "customer_email": "email"}'

REGIONS = ("eu-west-1", "us-east-1")


@pytest.fixture
def queues(emulator):
    """Makes queues of names like these, and takes them away."""
    made = []

    def make(*names, **attributes):
        for name in names:
            stem, dot, fifo = name.partition(".")
            made.append(emulator.create_queue(fresh_name(stem) + dot + fifo, **attributes))
        return made[-1] if len(names) == 1 else made[-len(names):]

    yield make
    for queue in made:
        queue.delete()


def create(database, queue, **options):
    options = {"attributes": {}, **options}
    name = fresh_name("sync")
    database.create_sync(name, queue if isinstance(queue, str) else queue.name, **options)
    return name


def told(database, name, *queues):
    """The bodies of a run's messages, queue by queue; all of its rows were told."""
    run = database.run(name)
    assert run.state == "succeeded", (run.error, database.rejections(name))
    bodies = [sorted(message.body for message in queue.drain()) for queue in queues]
    assert sum(map(len, bodies)) == run.published
    return bodies if len(queues) > 1 else bodies[0]


def test_the_json_editors_example_makes_the_pages_message(database, queue):
    database.analyst.execute(JOHN)
    [body] = told(database, create(database, queue, model="contacts", key="email_address", template=EDITOR), queue)
    assert json.loads(body) == TOLD_OF_JOHN
    assert body == EDITOR.replace("{{row.full_name}}", "John Doe").replace("{{row.age}}", "30").replace(
        "{{row.email_address}}", "john@example.com").replace("{{row.phone_number}}", "+14158675309")


def test_any_column_is_referenced_by_its_name(database, queue):
    database.analyst.execute('CREATE TABLE odd (id integer PRIMARY KEY, "Full Name" text, "größe" numeric, "select" text);'
                             " INSERT INTO odd VALUES (1, 'John', 1.80, 'x')")
    template = '{"a": "{{row["Full Name"]}}", "b": {{row["größe"]}}, "c": "{{ row.select }}", "d": {{row.id}}}'
    assert told(database, create(database, queue, model="odd", template=template), queue) == [
        '{"a": "John", "b": 1.80, "c": "x", "d": 1}']


@pytest.mark.parametrize("name", [
    'John "Johnny" Doe', "back\\slash", "two\nlines", '", "admin": true, "x": "', "{{row.age}}", "naïve ☃ 🎻", ""])
def test_a_string_in_double_quotes_stays_in_them_whatever_it_holds(database, queue, name):
    database.analyst.execute(JOHN)
    database.analyst.execute("UPDATE contacts SET full_name = %s", (name,))
    [body] = told(database, create(database, queue, model="contacts", key="email_address", template=EDITOR), queue)
    assert json.loads(body) == {**TOLD_OF_JOHN, "name": name}


def test_a_string_without_quotes_is_the_rows_rejection_which_says_to_quote_it(database, queue):
    database.analyst.execute(JOHN)
    name = create(database, queue, model="contacts", key="email_address", template='{"name": {{row.full_name}}}')
    assert database.run(name).rejected == 1
    [rejection] = database.rejections(name)
    assert rejection.code == "not_a_json_value" and "full_name" in rejection.reason and "quotes" in rejection.hint


@pytest.mark.parametrize("name", TEMPLATES)
def test_liquid_makes_of_a_row_what_its_author_meant(database, queue, name):
    template, body = TEMPLATES[name]
    database.analyst.execute(MODEL)
    sync = create(database, queue, model="people", key="email_address", template=template)
    assert told(database, sync, queue) == [body]
    json.loads(body)


def test_one_column_is_the_whole_message_as_web_events_are_stored(database, queue):
    stored = '{"event":"page_view",  "props": {"url":"/a?b=1&c", "n": 1.0}, "tags":["x"], "at":"2024-01-15T08:00:00Z"}'
    database.analyst.execute("CREATE TABLE web_events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), payload json)")
    database.analyst.execute("INSERT INTO web_events (payload) VALUES (%s)", (stored,))
    assert told(database, create(database, queue, model="web_events", body_column="payload"), queue) == [stored]


def test_one_column_may_be_made_by_sql(database, queue):
    database.analyst.execute(JOHN)
    model = """SELECT email_address, json_build_object('name', full_name, 'age', age, 'contact_info', json_build_array(
                 json_build_object('type', 'email', 'value', email_address),
                 json_build_object('type', 'phone', 'value', phone_number))) AS message FROM contacts"""
    [body] = told(database, create(database, queue, model=model, key="email_address", body_column="message"), queue)
    assert json.loads(body) == TOLD_OF_JOHN


def test_several_columns_are_mapped_to_the_names_of_the_pages_example(database, queue):
    database.analyst.execute(ALICE_BOB_CAROL)
    assert told(database, create(database, queue, model="subscribers", key="email", fields=FIELDS), queue) == [
        f'{{"customer_first_name":"{name}","customer_last_name":"Doe","customer_email":"{name.lower()}.doe@example.com"}}'
        for name in ("Alice", "Bob", "Carol")]


def test_each_trigger_may_have_a_queue_of_its_own_standard_or_fifo(database, queues):
    added, changed, removed = queues("added", "changed.fifo", "removed")
    database.analyst.execute(ALICE_BOB_CAROL)
    name = create(database, added, model="subscribers", key="email", fields=FIELDS)
    on = "SELECT sqs_sync_on(%s, %s, queue => %s, {})"
    database.analyst.execute(on.format("group_id => '{{row.last_name}}', template => '{\"was\": \"{{old.first_name}}\"}'"),
                             (name, "changed", changed.name))
    database.analyst.execute(on.format("template => '{\"gone\": \"{{row.email}}\"}'"), (name, "removed", removed.name))

    assert [len(bodies) for bodies in told(database, name, added, changed, removed)] == [3, 0, 0]
    database.analyst.execute("UPDATE subscribers SET first_name = 'Alicia' WHERE first_name = 'Alice';"
                             " DELETE FROM subscribers WHERE first_name = 'Bob';"
                             " INSERT INTO subscribers VALUES ('dave@example.com', 'Dave', 'Doe')")
    assert told(database, name, added, changed, removed) == [
        ['{"customer_first_name":"Dave","customer_last_name":"Doe","customer_email":"dave@example.com"}'],
        ['{"was": "Alice"}'],
        ['{"gone": "bob.doe@example.com"}']]


@pytest.mark.parametrize("published", [["added"], ["changed"], ["removed"], ["added", "removed"]])
def test_only_the_events_that_were_chosen_are_told(database, queue, published):
    database.analyst.execute(ALICE_BOB_CAROL)
    name = create(database, queue, model="subscribers", key="email", template='"{{event}}"',
                  events="{" + ",".join(published) + "}")
    bodies = told(database, name, queue)
    database.analyst.execute("UPDATE subscribers SET first_name = 'Alicia' WHERE first_name = 'Alice';"
                             " DELETE FROM subscribers WHERE first_name = 'Bob'")
    bodies += told(database, name, queue)
    happened = ["added"] * 3 + ["changed", "removed"]
    assert bodies == [f'"{event}"' for event in happened if event in published]


def test_a_column_chooses_among_existing_queues_standard_and_fifo_mixed(database, queues):
    north, south = queues("orders", "orders.fifo")
    database.analyst.execute(f"""
        CREATE TABLE orders (id integer PRIMARY KEY, queue text, customer text);
        INSERT INTO orders SELECT i, CASE i % 2 WHEN 0 THEN '{north.name}' ELSE '{south.name}' END, 'customer-' || i % 3
        FROM generate_series(1, 30) i""")
    name = create(database, "{{row.queue}}", model="orders", template="{{row.id}}", group_id="{{row.customer}}", order_by="id")
    assert database.run(name).published == 30
    assert {int(m.body) for m in north.drain()} == {i for i in range(1, 31) if i % 2 == 0}
    in_order = [(m.group_id, int(m.body)) for m in south.drain()]
    for group in range(3):
        assert [i for name, i in in_order if name == f"customer-{group}"] == [
            i for i in range(1, 31) if i % 2 and i % 3 == group]


@pytest.mark.parametrize("kind", ["orders", "orders.fifo"])
@pytest.mark.parametrize("message_id", ["{{row.email}}", "the same for all", "{{row.email}} – ☃ long long long long"])
def test_a_unique_message_id_may_be_any_text_and_every_message_of_a_batch_gets_its_result(database, queues, kind, message_id):
    """SQS takes 80 letters, digits, - and _ as an entry's identifier, each once in a batch, and none of these is that."""
    queue = queues(kind)
    database.analyst.execute("CREATE TABLE subscribers AS SELECT 'user+' || i || '@example.com' AS email,"
                             " repeat('long ', 100) AS note, i AS n FROM generate_series(1, 25) i")
    database.analyst.execute("INSERT INTO subscribers VALUES ('empty', '', 26), ('bad', E'\\x0b', 27)")
    name = create(database, queue, model="subscribers", key="email", body_column="note", message_id=message_id, group_id="all")
    run = database.run(name)
    assert (run.published, run.rejected) == (25, 2)
    assert [(r.message_id, r.code) for r in database.rejections(name)] == [
        (message_id.replace("{{row.email}}", "bad"), "invalid_character"),
        (message_id.replace("{{row.email}}", "empty"), "empty_body")]
    assert len(queue.drain()) == 25


def test_a_message_group_id_is_required_on_a_fifo_queue_and_keeps_its_messages_in_order(database, queues):
    queue = queues("moves.fifo")
    database.analyst.execute("CREATE TABLE moves AS SELECT i AS id, i % 4 AS account FROM generate_series(1, 40) i")
    with pytest.raises(errors.InvalidParameterValue, match="group"):
        create(database, queue, model="moves", template="{{row.id}}")
    name = create(database, queue, model="moves", template="{{row.id}}", group_id="account-{{row.account}}", order_by="id")
    assert database.run(name).published == 40
    messages = queue.drain()
    for account in range(4):
        assert [int(m.body) for m in messages if m.group_id == f"account-{account}"] == [
            i for i in range(1, 41) if i % 4 == account]


def test_a_delay_hides_a_message_of_a_standard_queue_for_its_seconds(database, queues):
    now, later = queues("now", "later")
    database.analyst.execute(f"""
        CREATE TABLE reminders (id integer PRIMARY KEY, queue text, seconds integer);
        INSERT INTO reminders VALUES (1, '{now.name}', 0), (2, '{later.name}', 3), (3, '{later.name}', 900), (4, '{later.name}', 901)""")
    name = create(database, "{{row.queue}}", model="reminders", template="{{row.id}}", delay_seconds="{{row.seconds}}")
    assert database.run(name).published == 3
    assert [r.code for r in database.rejections(name)] == ["invalid_delay"], "15 minutes are the most"
    assert [m.body for m in now.drain()] == ["1"]
    assert later.drain() == []
    delayed = wait_until(later.drain, "the message of three seconds is there")
    assert [m.body for m in delayed] == ["2"]


@pytest.mark.parametrize("by_content", ["true", "false"])
def test_a_deduplication_id_is_optional_whether_the_queue_deduplicates_by_content_or_not(database, queues, by_content):
    queue = queues("orders.fifo", ContentBasedDeduplication=by_content)
    database.analyst.execute("CREATE TABLE orders AS SELECT i AS id, 'same' AS body FROM generate_series(1, 5) i")
    without = create(database, queue, model="orders", body_column="body", format="text", group_id="all")
    assert len(told(database, without, queue)) == 5, "the same body five times, and none is lost"
    own = create(database, queue, model="orders", body_column="body", format="text", group_id="all", dedup_id="order-{{row.id}}")
    assert len(told(database, own, queue)) == 5


def test_message_attributes_are_text_or_bytes(database, queue):
    database.analyst.execute("CREATE TABLE photos AS SELECT 1 AS id, '\\x00ff'::bytea AS photo, 'Ada'::text AS name")
    name = create(database, queue, model="photos", fields='["id"]', attributes={
        "name": "{{row.name}}", "photo": {"type": "Binary", "value": "{{row.photo}}"}})
    assert database.run(name).published == 1
    [message] = queue.drain()
    assert message.attributes == {"name": "Ada", "photo": b"\x00\xff"}


@pytest.mark.parametrize("initial, first", [("backfill", 3), ("skip", 0)])
def test_a_first_run_backfills_all_rows_or_none_and_later_ones_tell_what_changes(database, queue, initial, first):
    database.analyst.execute(ALICE_BOB_CAROL)
    name = create(database, queue, model="subscribers", key="email", template='"{{row.first_name}}"', initial=initial)
    assert len(told(database, name, queue)) == first
    database.analyst.execute("UPDATE subscribers SET first_name = 'Alicia' WHERE first_name = 'Alice'")
    assert told(database, name, queue) == ['"Alicia"']


def test_a_connection_sends_to_the_queues_of_its_region(database, emulator):
    database.analyst.execute(ALICE_BOB_CAROL)
    queue_name = fresh_name("subscribers")
    there = {region: emulator.create_queue(queue_name, region) for region in REGIONS}
    for region in REGIONS:
        server = f"in_{region.replace('-', '_')}"
        database.admin.execute(sql.SQL("CREATE SERVER {} FOREIGN DATA WRAPPER sqs_sync OPTIONS (region {}, endpoint_url {})").format(
            sql.Identifier(server), region, database.endpoint))
        database.admin.execute(f"CREATE USER MAPPING FOR PUBLIC SERVER {server}"
                               " OPTIONS (access_key_id 'test', secret_access_key 'test');"
                               f" GRANT USAGE ON FOREIGN SERVER {server} TO analyst")
        name = create(database, queue_name, model="subscribers", key="email", fields='["email"]', server=server)
        assert database.run(name).published == 3
        assert {region: len(queue.drain()) for region, queue in there.items()} == {
            other: 3 if other == region else 0 for other in REGIONS}


NAMED_TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_test_that_the_page_names_exists_and_each_sentence_has_one():
    page = (ROOT / "docs/reference-page.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    sentences = [row for row in rows if not row.startswith("| the page")]
    assert len(sentences) > 20
    assert [row for row in sentences if not NAMED_TEST.search(row)] == []
    defined = {file.name: set(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
               for file in (ROOT / "tests").glob("test_*.py")}
    named = NAMED_TEST.findall(page)
    assert [(file, test) for file, test in named if test not in defined.get(file, ())] == []
    about_the_page = {test for file, test in named if file == "test_reference_page.py"}
    assert defined["test_reference_page.py"] - about_the_page == {
        "test_every_test_that_the_page_names_exists_and_each_sentence_has_one"}
