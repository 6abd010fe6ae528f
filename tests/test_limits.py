"""SQS's limits, at both sides of each: what is just within arrives as it is; what is just outside is the rejection of its
row alone, which names the limit, the size or the code point, and what to do, and nothing of the value."""

import json
import string

import pytest
from psycopg import errors


PUNCTUATION = string.ascii_letters + string.digits + string.punctuation
IDS_HELP = {"U+": "{{ row.name | url_encode }}", "128": "md5(", "empty": "default"}


def rule(code, *, good, bad, helps, **options):
    """`bad` is value to a word of the rejection's reason; `helps` are words of which the hint has one, or what the hint has
    if the reason has a word."""
    return pytest.param(code, good, bad, helps, options, id="-".join([code, *map(str, options)]))


RULES = [
    rule("invalid_character", body_column="v", format="text", helps=["translate", "regexp_replace"],
         good=["\t", "\n", "\r", " ", "\u007f", "\u0080", "\ud7ff", "\ue000", "\ufffd", "\U00010000", "\U0010ffff"],
         bad={chr(point): f"U+{point:04X}" for point in (1, 8, 0x0b, 0x0c, 0x0e, 0x1f, 0xfffe, 0xffff)}),
    rule("invalid_character", fields='["id"]', attributes={"v": "{{row.v}}"}, helps=["translate", "regexp_replace"],
         good=["\t", "\ufffd", "\U0010ffff"],
         bad={"fine until here\x01": "U+0001", "\uffff": "\"v\""}),
    rule("empty_body", body_column="v", format="text", helps=["model"], good=["x"], bad={"": "empty"}),
    rule("empty_attribute", fields='["id"]', attributes={"v": "{{row.v}}"}, helps=["coalesce"],
         good=["x", " "], bad={"": "\"v\"", None: "empty"}),
    rule("invalid_number", fields='["id"]', attributes={"v": {"type": "Number.any", "value": "{{row.v}}"}},
         helps=["String"],
         good=["0", "-0.00", "1.50", "9" * 38, "0" * 50 + "1" + "0" * 50, "1e126", "-1e126", "1e-128", "0.5E+1"],
         bad={"1" * 39: "38", "1.1e126": "126", "1e127": "126", "9e-129": "-128", "+1": "not a number", "1,5": "not a number",
              " 1": "not a number", "ten": "not a number", "NaN": "not a number", "Infinity": "not a number"}),
    rule("invalid_group_id", fields='["id"]', group_id="{{row.v}}", helps=IDS_HELP,
         good=["x", "x" * 128, PUNCTUATION[:62], string.punctuation],
         bad={"x" * 129: "128", "two words": "U+0020", "é": "U+00E9", "a\tb": "U+0009", "☃": "U+2603"}),
    rule("invalid_delay", fields='["id"]', delay_seconds="{{row.v}}", helps=["least"],
         good=["0", "1", "900", "5.0", None],
         bad={"-1": "900", "901": "900", "1.5": "whole", "soon": "whole", "99999999999999999999": "900"}),
    rule("invalid_message_id", fields='["id"]', message_id="{{row.v}}", helps=["shorter", "Shorten"],
         good=["x" * 1024, "é" * 1024, "two words", None], bad={"x" * 1025: "1024"}),
]

ON_FIFO = [
    rule("invalid_dedup_id", fields='["id"]', group_id="all", dedup_id="{{row.v}}", helps=IDS_HELP,
         good=["x", "x" * 128, PUNCTUATION[:62], string.punctuation],
         bad={"x" * 129: "128", "two words": "U+0020", "é": "U+00E9", "": "", None: ""}),
    rule("missing_group_id", fields='["id"]', group_id="{{row.v}}", helps=["group_id"], good=["x"], bad={"": "group", None: "group"}),
]


def check_rule(database, queue, code, good, bad, helps, options):
    values = [*good, *bad]
    database.analyst.execute("CREATE TABLE vals (id integer PRIMARY KEY, v text)")
    with database.analyst.cursor() as cursor:
        cursor.executemany("INSERT INTO vals VALUES (%s, %s)", list(enumerate(values)))
    database.create_sync("vals", queue.name, model="vals", **{"attributes": {}, **options})

    run = database.run("vals")

    rejections = {json.loads(r.key)["id"]: r for r in database.rejections("vals")}
    rejected = {values[id] for id in rejections}
    assert rejected == set(bad)
    assert (run.published, run.rejected) == (len(good), len(bad))
    for id, rejection in rejections.items():
        assert rejection.code == code
        assert bad[values[id]] in rejection.reason, rejection.reason
        if isinstance(helps, dict):
            [help] = {help for word, help in helps.items() if word in rejection.reason}
            assert help in rejection.hint, rejection.hint
        else:
            assert any(word in rejection.hint for word in helps), rejection.hint
        assert len(values[id] or "") < 9 or values[id] not in rejection.reason + rejection.hint
    return queue.drain()


@pytest.mark.parametrize("code, good, bad, helps, options", RULES)
def test_what_is_within_a_limit_arrives_and_what_is_outside_is_its_rows_rejection(
        database, queue, code, good, bad, helps, options):
    messages = check_rule(database, queue, code, good, bad, helps, options)
    if "body_column" in options:
        assert sorted(m.body for m in messages) == sorted(good)
    elif "group_id" in options:
        assert sorted(m.group_id for m in messages) == sorted(good)
    elif "attributes" in options:
        assert sorted(m.attributes["v"] for m in messages) == sorted(good)


@pytest.mark.parametrize("code, good, bad, helps, options", ON_FIFO)
def test_so_it_is_with_the_limits_of_fifo_queues(database, fifo, code, good, bad, helps, options):
    messages = check_rule(database, fifo, code, good, bad, helps, options)
    told = [m.dedup_id if "dedup_id" in options else m.group_id for m in messages]
    assert sorted(told) == sorted(good)


def test_what_a_queue_of_the_rows_choice_does_not_take_is_the_rows_rejection(database, queue, fifo):
    database.analyst.execute("CREATE TABLE vals (id integer PRIMARY KEY, queue text, delay text, dedup text)")
    with database.analyst.cursor() as cursor:
        cursor.executemany("INSERT INTO vals VALUES (%s, %s, %s, %s)", [
            (1, queue.name, "5", None), (2, queue.name, None, "mine"), (3, fifo.name, "5", "mine"), (4, fifo.name, None, "mine"),
            (5, fifo.name, None, None), (6, "x" * 81, None, None), (7, "no spaces", None, None), (8, "a.b", None, None),
            (9, "", None, None), (10, f"arn:aws:sqs:us-east-1:000000000000:{queue.name}", None, None), (11, None, None, None)])
    database.create_sync("vals", "{{row.queue}}", model="vals", fields='["id"]', group_id="all", attributes={},
                         delay_seconds="{{row.delay}}", dedup_id="{{row.dedup}}")
    run = database.run("vals")
    assert (run.published, run.rejected) == (2, 9)
    rejections = {json.loads(r.key)["id"]: r for r in database.rejections("vals")}
    assert {id: r.code for id, r in rejections.items()} == {
        2: "dedup_id_on_standard_queue", 3: "delay_on_fifo_queue", 5: "invalid_dedup_id",
        **{id: "invalid_queue_name" for id in (6, 7, 8, 9, 10, 11)}}
    assert all(r.hint for r in rejections.values())
    assert "80" in rejections[6].reason and "U+0020" in rejections[7].reason


@pytest.mark.parametrize("attributes, word", [
    ({f"a{i}": "x" for i in range(11)}, "10"),
    ({"": "x"}, "empty"),
    ({"x" * 257: "x"}, "256"),
    ({"two words": "x"}, "U+0020"),
    ({"é": "x"}, "U+00E9"),
    ({".a": "x"}, "full stop"),
    ({"a..b": "x"}, "full stop"),
    ({"AWS.trace": "x"}, "reserve"),
    ({"amazon.x": "x"}, "reserve"),
    ({"a": ""}, "empty"),
    ({"a": {"type": "Text", "value": "x"}}, "type"),
    ({"a": {"type": "Number", "value": "ten"}}, "not a number"),
    ({"a": {"type": "String." + "x" * 250, "value": "x"}}, "256"),
    ({"a": {"type": "String", "value": "x", "more": "y"}}, "more"),
])
def test_attributes_that_no_row_could_make_right_are_refused_at_creation(lasting_database, attributes, word):
    with pytest.raises(errors.InvalidParameterValue, match="attributes") as refused:
        lasting_database.create_sync("vals", "vals", model="SELECT 1 AS id", fields='["id"]', attributes=attributes)
    assert word in str(refused.value)
    assert lasting_database.value("SELECT count(*) FROM sqs_sync.syncs") == 0


def test_ten_attributes_of_the_longest_names_and_types_arrive(database, queue):
    database.analyst.execute("CREATE TABLE vals AS SELECT 1 AS id")
    attributes = {f"{i}" + "x" * 255: {"type": "String." + "é" * 249, "value": "{{row.id}}"} for i in range(10)}
    database.create_sync("vals", queue.name, model="vals", fields='["id"]', attributes=attributes)
    assert database.run("vals").published == 1
    [message] = queue.drain()
    assert message.types == {name: attribute["type"] for name, attribute in attributes.items()}
