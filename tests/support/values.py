"""A value of every kind that a column may have, and how docs/messages.md says that it is written."""

import dataclasses
import json

TYPES = """
CREATE DOMAIN short_code AS char(5);
CREATE DOMAIN flags AS bit(8);
CREATE DOMAIN price AS numeric(20, 4) CHECK (VALUE >= 0);
CREATE DOMAIN low_price AS price CHECK (VALUE < 1000);
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN numbers AS integer[];
CREATE TYPE mood AS ENUM ('fine', 'sad', 'so "so"');
CREATE TYPE place AS (id integer, since timestamptz);
CREATE TYPE visit AS (place place, tags text[]);
CREATE TYPE span AS RANGE (subtype = timestamptz, multirange_type_name = spans);
"""


@dataclasses.dataclass(frozen=True)
class Written:
    type: str
    sql: str
    text: str
    """In a text, and in the string of a template; NULL is nothing."""
    json: str | None = None
    """Where JSON has a value, letter for letter, if the value is other than a text."""

    @property
    def field(self):
        return json.dumps(self.text, ensure_ascii=False) if self.json is None else self.json


def number(kind, sql, text=None):
    text = text or sql
    return Written(kind, f"'{sql}'", text, text)


def as_json(kind, sql, text=None):
    text = text or sql
    return Written(kind, f"$x${sql}$x$", text, text)


def text(kind, value, written=None):
    return Written(kind, f"$x${value}$x$", value if written is None else written)


def no_number(kind, value):
    return Written(kind, f"'{value}'", value, "null")


VALUES = [
    Written("boolean", "true", "true", "true"),
    Written("boolean", "false", "false", "false"),

    # Numbers keep every digit.
    number("smallint", "-32768"),
    number("integer", "2147483647"),
    number("bigint", "-9223372036854775808"),
    number("bigint", "9223372036854775807"),
    number("numeric(20,4)", "12345678901234.5", "12345678901234.5000"),
    number("numeric", "-0.10"),
    number("numeric", "1.50"),
    number("numeric", "1234567890123456789012345678901234567890.123456789012345678901234567890"),
    number("numeric", "1e-40", "0." + "0" * 39 + "1"),
    number("numeric", "1e400", "1" + "0" * 400),
    number("real", "0.1"),
    number("real", "3.4028235e+38"),
    number("double precision", "0.1"),
    number("double precision", "0.30000000000000004"),
    number("double precision", "1e300", "1e+300"),
    number("double precision", "5e-324"),
    number("double precision", "-0"),
    number("oid", "4294967295"),
    number("price", "9.5", "9.5000"),
    number("low_price", "9.5", "9.5000"),
    *[no_number(kind, value) for kind in ("numeric", "real", "double precision")
      for value in ("NaN", "Infinity", "-Infinity")],

    # Text.
    text("text", 'a "quoted" \\ back\\slash, {{row.id}}, naïve – ☃ 🎻'),
    text("text", "two\nlines\tand a tab\r"),
    text("text", "  spaces  "),
    text("text", "42"),
    text("varchar(10)", "x y"),
    text("name", "n"),
    text('"char"', "c"),
    text("char(5)", "abc", "abc  "),
    text("short_code", "ab", "ab   "),
    text("bit(8)", "10101010"),
    text("varbit(8)", "101"),
    text("flags", "10101010"),
    text("uuid", "6f1c2f0e-0000-4000-8000-000000000001"),
    text("mood", "fine"),
    text("mood", 'so "so"'),
    text("money", "9.99", "$9.99"),
    text("money", "-1234567.5", "-$1,234,567.50"),
    text("bytea", "\\x00ff22"),
    text("bytea", "", "\\x"),
    text("xml", "<a b=\"1\">é&amp;</a>"),
    text("inet", "10.0.0.1/8"),
    text("inet", "::1"),
    text("cidr", "10.0.0.0/8"),
    text("macaddr", "08:00:2b:01:02:03"),
    text("macaddr8", "08:00:2b:01:02:03:04:05"),
    text("point", "(1,2.5)"),
    text("circle", "<(0,0),0.1>"),
    text("polygon", "((0,0),(1,1),(1,0))"),
    text("tsvector", "'a':1 'cat':2"),
    text("tsquery", "'a' & 'b'"),
    text("pg_lsn", "0/16B3748"),
    text("regclass", "pg_class"),
    text("regtype", "integer"),
    text("jsonpath", '$."a"[*]'),

    # Times: with a zone in UTC, without one bare.
    text("timestamptz", "2024-01-15 10:00:00.5+02", "2024-01-15T08:00:00.5Z"),
    text("timestamptz", "2024-01-15 10:00:00.123456+00", "2024-01-15T10:00:00.123456Z"),
    text("timestamptz", "1883-11-18 12:00:00 America/New_York", "1883-11-18T17:00:00Z"),
    text("timestamptz", "infinity"),
    text("timestamptz", "-infinity"),
    text("timestamptz", "0044-03-15 12:00:00+00 BC"),
    text("timestamptz", "12024-01-15 10:00:00+00", "12024-01-15T10:00:00Z"),
    text("timestamp", "2024-01-15 10:00", "2024-01-15T10:00:00"),
    text("timestamp", "infinity"),
    text("timestamp", "0044-03-15 12:00:00 BC"),
    text("date", "2024-01-15"),
    text("date", "-infinity"),
    text("date", "0044-03-15 BC"),
    text("time", "10:00:00.25"),
    text("timetz", "10:00:00+02"),
    text("interval", "1 day 2 hours", "1 day 02:00:00"),
    text("interval", "1 year 2 mons -3 days 04:05:06.789", "1 year 2 mons -3 days +04:05:06.789"),
    text("interval", "-00:00:01"),
    text("interval", "0", "00:00:00"),

    # JSON: json letter for letter, jsonb as Postgres prints it.
    as_json("json", '{"b" : 1.0,  "a":[1e400 , "\\u00e9", {}], "b":2}'),
    as_json("json", "1.50"),
    as_json("jsonb", '{"b":[1,2.50],"a":null, "text": "\\u00e9\\"☃"}', '{"a": null, "b": [1, 2.50], "text": "é\\"☃"}'),
    as_json("jsonb", "12345678901234567890.10"),
    as_json("jsonb", "[]"),
    as_json("document", '{"a":1}', '{"a": 1}'),

    # Arrays are JSON.
    as_json("integer[]", "{1,NULL,3}", "[1,null,3]"),
    as_json("integer[]", "{}", "[]"),
    as_json("integer[]", "[0:1]={1,2}", "[1,2]"),
    as_json("integer[]", "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
    as_json("numeric[]", "{1.50,12345678901234567890.123,NaN}", '[1.50,12345678901234567890.123,"NaN"]'),
    as_json("boolean[]", "{t,f}", "[true,false]"),
    as_json("text[]", '{"a b","say \\"x\\"",NULL,""}', '["a b","say \\"x\\"",null,""]'),
    as_json("char(3)[]", "{ab,c}", '["ab ","c  "]'),
    as_json("bytea[]", '{"\\\\x00ff"}', '["\\\\x00ff"]'),
    as_json("jsonb[]", '{"{\\"a\\": [1, 2]}"}', '[{"a": [1, 2]}]'),
    as_json("mood[]", '{fine,"so \\"so\\""}', '["fine","so \\"so\\""]'),
    as_json("date[]", "{2024-01-15}", '["2024-01-15"]'),
    as_json("timestamptz[]", '{"2024-01-15 10:00+02"}', '["2024-01-15T08:00:00+00:00"]'),
    as_json("timestamp[]", '{"2024-01-15 10:00"}', '["2024-01-15T10:00:00"]'),
    as_json("int4range[]", '{"[1,3)"}', '["[1,3)"]'),
    as_json("numbers", "{1,2}", "[1,2]"),

    # Rows, and arrays of them.
    text("place", '(1,"2024-01-15 10:00:00+00")'),
    text("place", "(,)"),
    text("visit", '("(1,""2024-01-15 10:00:00+00"")","{a,b}")'),
    text("place[]", '{"(1,)"}'),
    text("price[]", "{1.5000,2.0000}"),

    # Ranges and multiranges.
    text("int4range", "[1,5]", "[1,6)"),
    text("int4range", "empty"),
    text("numrange", "(1.50,)"),
    text("daterange", "[2024-01-15,2024-02-01)"),
    text("tsrange", '["2024-01-15 10:00:00","2024-01-15 11:00:00")'),
    text("tstzrange", '["2024-01-15 10:00:00+02",)', '["2024-01-15 08:00:00+00",)'),
    text("int4multirange", "{[1,3),[5,8)}"),
    text("tstzmultirange", '{["2024-01-15 10:00:00+00",)}'),
    text("span", '["2024-01-15 10:00:00+02",)', '["2024-01-15 08:00:00+00",)'),
    text("spans", '{["2024-01-15 10:00:00+00",)}'),
]

NULLS = ["boolean", "integer", "numeric", "text", "char(5)", "bytea", "json", "jsonb", "integer[]", "timestamptz",
         "mood", "place", "int4range", "price"]
