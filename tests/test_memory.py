"""A runner's memory is bounded by its batches, whatever the rows weigh."""

import pytest

from support.process import Peak

LIMIT_KB = 150_000


@pytest.mark.parametrize("kind, value", [
    ("text", "repeat(md5(i::text), 32768)"),
    ("integer[]", "ARRAY(SELECT i * 100000 + g FROM generate_series(1, 150000) g)"),
], ids=["long texts", "long arrays"])
def test_long_values_are_not_read_all_at_once(database, queue, kind, value):
    database.analyst.execute(f"CREATE TABLE large (id integer PRIMARY KEY, content {kind})")
    database.analyst.execute(f"INSERT INTO large SELECT i, {value} FROM generate_series(1, 300) i")
    database.create_sync("large", queue.name, model="large", fields='["id"]')
    with Peak(lambda: database.processes("runner")) as peak:
        run = database.wait_for(database.start_run("large"), timeout="5 minutes")
    assert run.published == 300
    assert 0 < peak.kb < LIMIT_KB, f"{peak.kb} kB for 300 rows of a megabyte"
