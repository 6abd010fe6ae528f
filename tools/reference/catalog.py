"""What users can see of the extension, from the catalog of a database that has it, and what is missing in it."""

import dataclasses
import re

from . import comment

SQLSTATE = re.compile(r"^[0-9A-Z]{5}$")
MEMBERS = "SELECT objid FROM pg_depend WHERE classid = '{catalog}'::regclass AND deptype = 'e'" \
          " AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'sqs_sync')"
FUNCTIONS = f"""
SELECT p.oid, n.nspname = 'sqs_sync' AS is_inner, p.proname AS name, p.prokind AS kind, p.proretset AS many,
       pg_get_function_result(p.oid) AS result, obj_description(p.oid, 'pg_proc') AS comment,
       has_function_privilege('public', p.oid, 'EXECUTE') AS is_public,
       COALESCE(p.proargnames, '{{}}') AS names, COALESCE(p.proargmodes::text[], '{{}}') AS modes,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) t) AS types,
       ARRAY(SELECT pg_get_function_arg_default(p.oid, i)
             FROM generate_series(1, cardinality(COALESCE(p.proallargtypes, p.proargtypes::oid[]))) i) AS defaults
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid IN ({MEMBERS.format(catalog="pg_proc")}) ORDER BY p.oid"""
VIEWS = f"""
SELECT c.oid, c.relname AS name, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c
WHERE c.oid IN ({MEMBERS.format(catalog="pg_class")}) AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND EXISTS (SELECT 1 FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner AND a.privilege_type = 'SELECT')
ORDER BY c.oid"""
COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type, col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
SETTINGS = """
SELECT name, short_desc, extra_desc, boot_val, min_val, max_val, unit, context, enumvals FROM pg_settings
WHERE name LIKE 'sqs\\_sync.%' ORDER BY name"""
WRAPPERS = f"""
SELECT fdwname AS name, obj_description(oid, 'pg_foreign_data_wrapper') AS comment FROM pg_foreign_data_wrapper
WHERE oid IN ({MEMBERS.format(catalog="pg_foreign_data_wrapper")}) ORDER BY oid"""


@dataclasses.dataclass
class Argument:
    name: str
    mode: str  # as in pg_proc: i, b, o, t
    type: str
    default: str | None


@dataclasses.dataclass
class Function:
    name: str
    is_inner: bool
    is_public: bool
    is_procedure: bool
    result: str
    arguments: list
    comment: comment.Comment


@dataclasses.dataclass
class View:
    name: str
    comment: comment.Comment
    columns: list  # of rows name, type, comment


class Catalog:
    """`complaints` is what has no comment, or a comment about nothing."""

    def __init__(self, connection):
        self.complaints = []
        self.connection = connection
        # The settings are there once the library is; the rest is so that defaults read the same everywhere.
        connection.execute("LOAD 'sqs_sync'; SET search_path = pg_catalog; SET IntervalStyle = postgres; SET DateStyle = ISO")
        self.errors = self.rows("SELECT * FROM sqs_sync.error_codes")
        self.options = self.rows("SELECT * FROM sqs_sync.options")
        self.functions = [self.function(row) for row in self.rows(FUNCTIONS)]
        self.views = [self.view(row) for row in self.rows(VIEWS)]
        self.settings = self.rows(SETTINGS)
        self.wrappers = self.rows(WRAPPERS)
        self.check_rest()

    def rows(self, query, parameters=None):
        with self.connection.cursor() as cursor:
            cursor.execute(query, parameters)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]

    def complain_unless(self, is_right, complaint):
        if not is_right:
            self.complaints.append(complaint)

    def function(self, row):
        name = f"sqs_sync.{row['name']}" if row["is_inner"] else row["name"]
        modes = row["modes"] or ["i"] * len(row["types"])
        names = row["names"] or [""] * len(row["types"])
        arguments = [Argument(*one) for one in zip(names, modes, row["types"], map(plain, row["defaults"]))]
        said = self.parsed(f"function {name}", row["comment"])
        self.check_items(name, said, arguments)
        return Function(name, row["is_inner"], row["is_public"], row["kind"] == "p", self.result(row, arguments), arguments, said)

    @staticmethod
    def result(row, arguments):
        if any(argument.mode in "bot" for argument in arguments):
            return "rows" if row["many"] else "a row"
        return row["result"]

    def check_items(self, name, said, arguments):
        there = [argument.name for argument in arguments]
        told = [told for names, _ in said.items for told in names]
        known = {error["code"] for error in self.errors}
        for argument in arguments:
            self.complain_unless(argument.name, f"an argument of {name} has no name")
            self.complain_unless(argument.name in told, f"argument or column {argument.name} of {name} has no line '- {argument.name}: …'")
        for one in told:
            is_error = SQLSTATE.match(one)
            self.complain_unless(one in there or is_error, f"'- {one}: …' of {name} is no argument and no column of it")
            self.complain_unless(not is_error or one in known, f"error {one} of {name} is not in sqs_sync.error_codes")
            self.complain_unless(told.count(one) == 1, f"'- {one}: …' of {name} is there twice")

    def view(self, row):
        said = self.parsed(f"view sqs_sync.{row['name']}", row["comment"])
        columns = self.rows(COLUMNS, [row["oid"]])
        for column in columns:
            self.complain_unless(column["comment"], f"column {column['name']} of view sqs_sync.{row['name']} has no comment")
        return View(f"sqs_sync.{row['name']}", said, columns)

    def parsed(self, what, text):
        self.complain_unless(text, f"{what} has no comment")
        try:
            said = comment.parse(text or "")
        except ValueError as error:
            self.complaints.append(f"the comment of {what}: {error}")
            return comment.Comment("", [])
        self.complain_unless(not said.summary.endswith("."), f"the first line of the comment of {what} has a full stop: it is its summary")
        return said

    def check_rest(self):
        for setting in self.settings:
            self.complain_unless(setting["short_desc"] and setting["extra_desc"], f"setting {setting['name']} has no description")
        for wrapper in self.wrappers:
            self.complain_unless(wrapper["comment"], f"foreign data wrapper {wrapper['name']} has no comment")
            self.complain_unless(any(option["wrapper"] == wrapper["name"] for option in self.options),
                                 f"foreign data wrapper {wrapper['name']} has no options in sqs_sync.options")
        for option in self.options:
            self.complain_unless(option["means"], f"option {option['option']} says not what it means")
        for error in self.errors:
            self.complain_unless(error["means"] and error["action"], f"error {error['code']} says not what it means, or what to do")


def plain(default):
    """As one would write it: without the cast that Postgres adds."""
    return default and re.sub(r"::[a-z ]+(\[\])?$", "", default)
