"""Every SQL example that a user reads is run, in its order, on a database of its page's own."""

import re

import psycopg
import pytest

from support.cluster import ROOT
from support.running import destroy, fresh_name, started_cluster

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\S*) ?(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# What is SQL is marked so, and run; the others are not for this test.
LANGUAGES = {"sql", "text", "json", "liquid", "liquid-json", "row", "python"}

# An example says a region, and so means AWS: here each server that it creates is the emulator.
TO_THE_EMULATOR = """
CREATE FUNCTION to_the_emulator() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  server text;
BEGIN
  FOR server IN
    SELECT srvname FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    WHERE w.fdwname = 'sqs_sync' AND NOT COALESCE(array_to_string(srvoptions, ' ') LIKE '%endpoint_url=%', false)
  LOOP
    EXECUTE format('ALTER SERVER %I OPTIONS (ADD endpoint_url {endpoint}, ADD sts_endpoint_url {endpoint})', server);
  END LOOP;
END $$;
CREATE EVENT TRIGGER to_the_emulator ON ddl_command_end WHEN TAG IN ('CREATE SERVER')
  EXECUTE FUNCTION to_the_emulator();
"""


def examples(page):
    return [(language, rest, text) for language, rest, text in FENCE.findall(page.read_text())]


@pytest.fixture
def docs_cluster():
    cluster = started_cluster(shared_preload_libraries="sqs_sync")
    yield cluster
    destroy(cluster)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_no_example_is_left_out(page):
    found = examples(page)
    assert {(language, rest) for language, rest, _ in found} <= {(language, "") for language in LANGUAGES}
    # None is hidden by being indented or left open.
    assert page.read_text().count("```") == 2 * len(found)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_examples_run(page, docs_cluster, emulator):
    script = "\n".join(text for language, _, text in examples(page) if language == "sql")
    regions = set(re.findall(r"region '([^']+)'", script)) or {"us-east-1"}
    queues = [emulator.create_queue(name, region) for name in set(re.findall(r"queue\s*=>\s*'([^'{]+)'", script))
              for region in regions]

    name = fresh_name("docs")
    with docs_cluster.connect() as postgres:
        postgres.execute(f"CREATE DATABASE {name}")
    with docs_cluster.connect(name) as admin:
        admin.execute("GRANT CREATE ON SCHEMA public TO analyst")
        endpoint = psycopg.sql.Literal(emulator.endpoint).as_string(admin)
        admin.execute(TO_THE_EMULATOR.replace("{endpoint}", endpoint.replace("'", "''")))
    docs_cluster.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", name, input=script)

    with docs_cluster.connect(name) as admin:
        states = (admin.execute("SELECT state, error FROM sqs_sync.runs").fetchall()
                  if "sqs_sync_run" in script else [])
    assert set(states) == ({("succeeded", None)} if "sqs_sync_run" in script else set())
    # A comment that is an object at the end of an example's line is a message that it sends.
    promised = re.findall(r"--\s*(\{.*\})$", script, re.MULTILINE)
    received = [message.body for queue in queues for message in queue.drain()]
    assert set(promised) <= set(received)
