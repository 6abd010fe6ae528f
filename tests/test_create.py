"""What sqs_sync_create accepts; what it refuses leaves nothing behind."""

import psycopg
import pytest

from support.database import call
from support.items import BODIES, TEMPLATE, Items

SCHEMA = """
CREATE TABLE no_key (id integer, name text);
CREATE TABLE places (id integer PRIMARY KEY, spot point);
CREATE FUNCTION readable_name(integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'n' || $1 $$;
"""

# What is wrong, its SQLSTATE (or those that fit alike), a word of the error that says which, and the options.
REFUSED = [
    ("unknown relation", "42P01", "nothing_here", {"model": "nothing_here"}),
    ("unknown schema", "42P01|3F000", "nowhere", {"model": "nowhere.items"}),
    ("unknown key column", "42703", "idd", {"key": "idd"}),
    ("unknown second key column", "42703", "nam", {"key": "id, nam"}),
    ("a key that cannot be compared", "42883|42704|0A000|22023", "spot", {"model": "places", "key": "spot", "template": "{}"}),
    ("no key, and no primary key to take", "22023", "key", {"model": "no_key", "key": None}),
    ("two bodies", "22023", "body", {"body_column": "name"}),
    ("no body", "22023", "body", {"template": None}),
    ("unknown column in the template", "42703", "nme", {"template": '{"name": "{{row.nme}}"}'}),
    ("unknown column in an attribute", "42703", "nme", {"attributes": '{"name": "{{row.nme}}"}'}),
    ("unknown body column", "42703", "mesage", {"template": None, "body_column": "mesage"}),
    ("unknown column in fields", "42703", "nme", {"template": None, "fields": '{"name": "nme"}'}),
    ("fields that are no object or array", "22023", "fields", {"template": None, "fields": '"name"'}),
    ("unknown column in order_by", "42703", "nme", {"order_by": "nme"}),
    ("a filter that is none", "22023", "upcase", {"template": '{"name": "{{row.name | upcaes}}"}'}),
    ("a loop that does not end", "22023", "for", {"template": '{"a": [{% for i in row.name %}1]}'}),
    ("a template that does not end", "22023", "template", {"template": '{"name": "{{row.name"}'}),
    ("a template that is not JSON", "22023", "template", {"template": '{"name": "{{row.name}}'}),
    ("unknown server", "42704", "elsewhere", {"server": "elsewhere"}),
    ("no server", "22023", "server", {"server": None}),
    ("no queue", "22023", "queue", {"queue": None}),
    ("a FIFO queue", "22023", "FIFO", {"queue": "orders.fifo"}),
    ("unknown event", "22023", "deleted", {"events": "{added,deleted}"}),
    ("no event", "22023", "events", {"events": "{}"}),
    ("unknown initial", "22023", "later", {"initial": "later"}),
    ("an empty name", "22023", "name", {"name": ""}),
    ("a time to retry that has passed", "22023", "retry_for", {"retry_for": "-1 second"}),
    ("a name that is taken", "42710", "taken", {"name": "taken"}),
    ("eleven attributes", "22023", "attributes",
     {"attributes": "{%s}" % ", ".join(f'"a{i}": "x"' for i in range(11))}),
    ("an attribute's name that SQS refuses", "22023", "AWS.trace", {"attributes": '{"AWS.trace": "x"}'}),
    ("a model that fails when it is read", "22012", "division by zero", {"model": "SELECT 1/0 AS id, 'x' AS name, 1 AS amount, '' AS note"}),
    ("a SELECT with a syntax error", "42601", "syntax", {"model": "SELECT id, name FROM WHERE"}),
    ("an INSERT as a model", "22023", "SELECT", {"model": "INSERT INTO items VALUES (1, 'x', 1, '') RETURNING id"}),
]


def with_schema(database, queue_name):
    Items(database.analyst).create().fill(5)
    database.analyst.execute(SCHEMA)
    database.create_sync("taken", queue_name, model="item_rows", **BODIES["template"])
    return database


@pytest.fixture
def schema(database, queue):
    return with_schema(database, queue.name)


@pytest.fixture(scope="module")
def untouched(lasting_database):
    return with_schema(lasting_database, "items")


@pytest.mark.parametrize("sqlstate, word, wrong", [case[1:] for case in REFUSED],
                         ids=[case[0] for case in REFUSED])
def test_refuses(untouched, sqlstate, word, wrong):
    before = untouched.leftovers()
    options = {"name": "items", "model": "item_rows", "key": "id", "server": "sqs",
               "queue": "items", "template": TEMPLATE, **wrong}
    with pytest.raises(psycopg.Error) as refused:
        call(untouched.analyst, "sqs_sync_create", **options)
    assert refused.value.sqlstate in sqlstate.split("|"), refused.value
    diagnostics = refused.value.diag
    said = " ".join(filter(None, [diagnostics.message_primary, diagnostics.message_detail, diagnostics.message_hint]))
    assert word.lower() in said.lower()
    assert untouched.leftovers() == before


def test_refuses_two_statements_as_a_model(schema, queue):
    before = schema.leftovers()
    with pytest.raises(psycopg.Error) as refused:
        schema.create_sync("items", queue.name, model="SELECT 1 AS id; DROP TABLE items", **BODIES["template"])
    assert refused.value.sqlstate in ("42601", "22023")
    assert schema.leftovers() == before


def test_refuses_a_model_of_someone_else(schema, queue):
    schema.admin.execute("GRANT USAGE ON FOREIGN SERVER sqs TO other")
    schema.analyst.execute("GRANT SELECT ON items, item_rows TO other")
    before = schema.leftovers()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="item_rows"):
        schema.create_sync("items", queue.name, model="item_rows",
                           connection=schema.connection_of("other"), **BODIES["template"])
    assert schema.leftovers() == before


def test_refuses_a_server_that_the_owner_may_not_use(schema, queue):
    schema.admin.execute("REVOKE USAGE ON FOREIGN SERVER sqs FROM analyst")
    before = schema.leftovers()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="sqs"):
        schema.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    assert schema.leftovers() == before


def test_refuses_a_superuser_as_owner_of_what_others_can_change(schema, queue):
    schema.admin.execute("CREATE VIEW trusting AS SELECT * FROM items")
    before = schema.leftovers()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="superuser"):
        schema.create_sync("items", queue.name, model="trusting", connection=schema.admin, **BODIES["template"])
    assert schema.leftovers() == before


def test_a_failed_transaction_leaves_nothing(schema, queue):
    before = schema.leftovers()
    with pytest.raises(ZeroDivisionError), schema.analyst.transaction():
        schema.create_sync("items", queue.name, model="SELECT id, name FROM items", template="{}")
        raise ZeroDivisionError
    assert schema.leftovers() == before


def test_a_select_is_a_model_under_its_creators_search_path(schema, queue):
    schema.admin.execute("CREATE SCHEMA private AUTHORIZATION analyst")
    schema.analyst.execute("CREATE TABLE private.people (id integer PRIMARY KEY, name text)")
    schema.analyst.execute("INSERT INTO private.people VALUES (1, 'Ada')")
    before = schema.leftovers()
    schema.analyst.execute("SET search_path = private, public")
    schema.create_sync("people", queue.name, model="SELECT id, readable_name(id) AS name FROM people",
                       template='{"name": "{{row.name}}"}')
    schema.analyst.execute("RESET search_path")

    assert schema.run("people").state == "succeeded"
    assert [message.body for message in queue.drain()] == ['{"name": "n1"}']
    schema.analyst.execute("SELECT sqs_sync_drop('people')")
    assert schema.leftovers() == before


def test_a_tables_primary_key_is_the_key_by_default(schema, queue):
    schema.create_sync("items", queue.name, model="items", key=None, **BODIES["fields"])
    assert schema.value("SELECT key FROM sqs_sync.syncs WHERE name = 'items'") == ["id"]


def test_drop_leaves_nothing(schema, queue):
    before = schema.leftovers()
    schema.create_sync("items", queue.name, model="item_rows", **BODIES["template"])
    schema.run("items")
    schema.analyst.execute("SELECT sqs_sync_drop('items')")
    assert schema.leftovers() == before
    assert schema.rows("SELECT * FROM sqs_sync.runs WHERE sync = 'items'") == []


@pytest.mark.parametrize("function", ["sqs_sync_drop", "sqs_sync_run", "sqs_sync_pause", "sqs_sync_resume",
                                      "sqs_sync_alter"])
def test_an_unknown_sync_is_named(untouched, function):
    with pytest.raises(psycopg.errors.UndefinedObject, match="unheard_of"):
        call(untouched.analyst, function, name="unheard_of")


@pytest.mark.parametrize("function", ["sqs_sync_drop", "sqs_sync_run", "sqs_sync_pause", "sqs_sync_resume",
                                      "sqs_sync_alter"])
def test_a_sync_of_someone_else_is_out_of_reach(untouched, function):
    with untouched.connection_of("other") as other, pytest.raises(psycopg.Error) as refused:
        call(other, function, name="taken")
    assert refused.value.sqlstate in ("42501", "42704")
    assert untouched.value("SELECT count(*) FROM sqs_sync.syncs WHERE name = 'taken'") == 1


def test_change_ids_go_on_when_a_sync_is_dropped_and_made_again(schema, queue):
    first = [int(m.attributes["change_id"]) for m in (schema.run("taken"), queue.drain())[1]]
    schema.analyst.execute("SELECT sqs_sync_drop('taken')")
    schema.create_sync("taken", queue.name, model="item_rows", **BODIES["template"])
    second = [int(m.attributes["change_id"]) for m in (schema.run("taken"), queue.drain())[1]]
    assert len(first) == len(second) == 5
    assert min(second) > max(first), "a consumer that knows the keys would ignore the new sync"


def test_a_sync_can_be_made_beside_what_an_earlier_installation_left(schema, queue):
    schema.admin.execute("DROP EXTENSION sqs_sync CASCADE")
    schema.prepare_again()
    schema.create_sync("again", queue.name, model="item_rows", **BODIES["template"])
    assert schema.run("again").state == "succeeded"
