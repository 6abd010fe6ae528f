"""The reference cannot go stale: what users can see has a comment, docs/reference.md is made of the comments, and an error
code that is raised is one that users can look up."""

import re
import subprocess

import pytest

from reference import page
from reference.catalog import Catalog
from reference.comment import parse
from support.cluster import ROOT

SOURCES = [*ROOT.glob("src/**/*.rs"), *ROOT.glob("crates/message/src/**/*.rs"), *ROOT.glob("crates/publisher/src/**/*.rs")]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# SQLSTATEs that the sources look for, or log by, and do not raise.
NOT_RAISED = {"SUCCESSFUL_COMPLETION", "INVALID_SCHEMA_NAME", "INVALID_NAME", "T_R_DEADLOCK_DETECTED", "UNIQUE_VIOLATION",
              "FOREIGN_KEY_VIOLATION", "EXTERNAL_ROUTINE_EXCEPTION"}
# Of literals, and so told when the definition is written (22023).
OF_DEFINITIONS = {"invalid_attribute_name", "invalid_attribute_type", "too_many_attributes"}
CODES_OF_ROWS = re.compile(r"(?:Rejection|Refused)::new\(\s*\"([a-z_]+)\"|\bcode: \"([a-z_]+)\"|FailureKind::\w+ => \"([a-z_]+)\""
                           r"|unwrap_or\(\"(queue_[a-z_]+)\"\)|'([a-z_]+)' AS code|THEN '(\w+_key)'|, '(key_\w+)' FROM")
RAISED = re.compile(r"(?:Error::invalid|not_in_state|Error::new)\(\s*(?:PgSqlErrorCode::\w+,\s*)?(?:format!\(\s*)?"
                    r"\"((?:[^\"\\]|\\.|\\\n)*)\"")


@pytest.fixture
def catalog(database):
    return Catalog(database.admin)


def errors(database, *kinds):
    return {row.code for row in database.rows("SELECT code, kind FROM sqs_sync.error_codes") if row.kind in kinds} - {"any"}


# The page ----------------------------------------------------------------------------------

def test_everything_that_users_can_see_has_a_comment(catalog):
    assert catalog.complaints == []


@pytest.mark.e2e
def test_the_page_is_what_the_catalog_says(catalog):
    assert page.write(catalog) == page.PAGE.read_text(), "docs/reference.md is not what the catalog says: make reference"


def test_the_page_names_all_that_there_is(catalog):
    text = page.PAGE.read_text()
    for function in catalog.functions:
        assert not function.is_public or f"### {function.name}\n" in text
    for view in catalog.views:
        assert f"### {view.name}\n" in text
    for name in [s["name"] for s in catalog.settings] + [o["option"] for o in catalog.options] + [e["code"] for e in catalog.errors]:
        assert f"| `{name}` |" in text or f"| {name} |" in text


@pytest.mark.parametrize(("change", "complaint"), [
    ("CREATE FUNCTION f() RETURNS integer RETURN 1; ALTER EXTENSION sqs_sync ADD FUNCTION f()", "function f has no comment"),
    ("COMMENT ON FUNCTION sqs_sync_drop(text) IS 'drops a sync'", "argument or column name of sqs_sync_drop has no line"),
    ("COMMENT ON FUNCTION sqs_sync_drop(text) IS E'drops a sync\\n\\n- name: of it\\n- nmae: of it'", "'- nmae: …' of sqs_sync_drop is no argument"),
    ("COMMENT ON FUNCTION sqs_sync_drop(text) IS E'drops a sync\\n\\n- name: of it\\n- 99999: never'", "error 99999 of sqs_sync_drop is not in"),
    ("COMMENT ON FUNCTION sqs_sync_drop(text) IS E'drops a sync\\n\\n- name of it'", "the comment of function sqs_sync_drop: this is neither"),
    ("COMMENT ON VIEW sqs_sync.runs IS NULL", "view sqs_sync.runs has no comment"),
    ("COMMENT ON COLUMN sqs_sync.runs.state IS NULL", "column state of view sqs_sync.runs has no comment"),
    ("COMMENT ON FOREIGN DATA WRAPPER sqs_sync IS NULL", "foreign data wrapper sqs_sync has no comment"),
])
def test_what_is_not_documented_is_a_complaint(database, change, complaint):
    database.admin.execute(change)
    assert [said for said in Catalog(database.admin).complaints if complaint in said]


def test_a_comment_reads_the_same_in_psql_and_on_the_page():
    said = parse("does it\n\nLong\nlines are joined.\n\n- a, b: of both,\n  and so on\n- 42501: no\n\n    SELECT 1;\n\n    SELECT 2;\n\n| x |\n| --- |")
    assert said.summary == "does it"
    assert said.blocks == [("paragraph", "Long lines are joined."), ("list", [(["a", "b"], "of both, and so on"), (["42501"], "no")]),
                           ("example", "SELECT 1;\n\nSELECT 2;"), ("table", "| x |\n| --- |")]


def test_the_states_of_the_page_are_those_that_a_run_can_have(database):
    (check,) = database.rows("SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = 'sqs_sync.run'::regclass"
                             " AND contype = 'c'")
    states = page.PAGE.read_text().partition("\n## States of a run\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", states, re.MULTILINE)) == sorted(re.findall(r"'(\w+)'", check.text))


@pytest.mark.parametrize("file", PAGES, ids=[file.name for file in PAGES])
def test_a_link_leads_to_a_heading_that_is_there(file):
    text = re.sub(r"^```.*?^```$", "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    for path, anchor in re.findall(r"\]\(((?:docs/)?[\w.-]*)(?:#([\w-]+))?\)", text):
        target = file.parent / path if path else file
        assert target.exists(), path
        assert not anchor or anchor in page.headings_of(target.read_text()), f"{path}#{anchor}"


# Error codes -------------------------------------------------------------------------------

def sqlstates(database):
    """By their names in C, as this server's headers have them."""
    directory = subprocess.run([database.cluster.bin / "pg_config", "--includedir-server"], capture_output=True, text=True, check=True)
    with open(f"{directory.stdout.strip()}/utils/errcodes.h") as header:
        return {name: re.sub(r"[', ]", "", letters)
                for name, letters in re.findall(r"#define ERRCODE_(\w+) MAKE_SQLSTATE\((.*?)\)", header.read())}


def test_every_sqlstate_that_the_sources_raise_can_be_looked_up(database):
    named = {name for file in SOURCES for name in re.findall(r"\bERRCODE_(\w+)", file.read_text())}
    script = next(ROOT.glob("sql/*.sql")).read_text()
    named |= {name.upper() for name in re.findall(r"ERRCODE = '(\w+)'", script)}
    known, codes = errors(database, "call", "options", "run"), sqlstates(database)
    assert {f"{codes[name]} {name}" for name in named - NOT_RAISED if codes[name] not in known} == set()


def test_every_message_that_the_sources_raise_can_be_looked_up(database):
    """Of what is not our own mistake: by its words between what it names."""
    told = " ".join(row.means for row in database.rows("SELECT means FROM sqs_sync.error_codes"))
    messages = [re.sub(r"\\\n\s*", "", said) for file in ROOT.glob("src/**/*.rs") for said in RAISED.findall(file.read_text())]
    assert len(messages) > 50
    unknown = []
    for message in messages:
        words = [part.strip() for part in re.split(r"\{[^}]*\}|\\\"|[,;:]", message) if len(part.strip()) >= 8]
        if words and not any(part in told for part in words):
            unknown.append(message)
    assert unknown == []


def test_every_code_of_a_rejection_can_be_looked_up_and_none_that_there_is_not(database):
    raised = {"".join(found) for file in SOURCES for found in CODES_OF_ROWS.findall(file.read_text())}
    ours = {code for code in errors(database, "rejection", "test") if code == code.lower()}
    assert raised - OF_DEFINITIONS == ours


def test_every_code_has_its_section_in_the_runbook(database):
    runbook = (ROOT / "docs/operations.md").read_text().partition("\n## The runbook\n")[2].partition("\n## ")[0]
    headed = [code for heading in re.findall(r"^### (.*?):", runbook, re.MULTILINE) for code in heading.split(", ")]
    known = errors(database, "call", "options", "run", "rejection", "test")
    assert sorted(code for code in headed if code != "Postgres's own codes") == sorted(known)


def test_everyone_can_look_an_error_up(database):
    analyst = database.connection_of("other")
    assert analyst.execute("SELECT DISTINCT action <> '' AND means <> '' FROM sqs_sync.error_codes").fetchall() == [(True,)]
    assert analyst.execute("SELECT count(*) > 0 FROM sqs_sync.options WHERE required").fetchone() == (True,)
    analyst.close()
