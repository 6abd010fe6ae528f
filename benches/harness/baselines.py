"""What one would use in Postgres instead of the diff: REFRESH MATERIALIZED VIEW CONCURRENTLY, and
joins written by hand. And the least that any of them can cost: one hash over the model."""

import time

from harness.server import settle_down


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def hash_pass(database, model):
    """One pass over the model that computes a hash of each row."""
    statement = f"SELECT bit_xor(hash_record_extended(m, 0)) FROM {model.view} m"
    return timed(lambda: database.analyst.execute(statement))


class Refresh:
    """A materialized view of the model."""

    def __init__(self, database, model):
        self.analyst = database.analyst
        self.view = f"{model.table}_materialized"
        self.analyst.execute(f"CREATE MATERIALIZED VIEW {self.view} AS SELECT * FROM {model.view}")
        self.analyst.execute(f"CREATE UNIQUE INDEX ON {self.view} ({model.key})")

    def run(self):
        return timed(lambda: self.analyst.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {self.view}"))


# How the rows are compared: the whole of them, or by a hash that the told row keeps.
WHOLE = "whole rows"
HASHED = "stored hash"
FORMS = {
    "full join": """
        SELECT CASE WHEN t.{key} IS NULL THEN 'added' WHEN m.{key} IS NULL THEN 'removed' ELSE 'changed' END AS event,
               coalesce(m.{key}, t.{key}) AS changed_key, {contents}
        FROM {model} m FULL JOIN told t ON t.{key} = m.{key} WHERE {differs}""",
    # The hash is computed below the join, by parallel workers if Postgres likes; the join reads
    # no more of `told` than its index on key and hash.
    "hash below, full join": """
        SELECT CASE WHEN t.{key} IS NULL THEN 'added' WHEN m.{key} IS NULL THEN 'removed' ELSE 'changed' END AS event,
               coalesce(m.{key}, t.{key}) AS changed_key, {contents}
        FROM (SELECT {hash} AS hash, m.* FROM {model} m ORDER BY m.{key}) m
        FULL JOIN told t ON t.{key} = m.{key} WHERE m.hash IS DISTINCT FROM t.hash""",
    # No full join runs in parallel before Postgres 16; these two can.
    "left join and anti join": """
        SELECT CASE WHEN t.{key} IS NULL THEN 'added' ELSE 'changed' END AS event, m.{key} AS changed_key, {contents}
        FROM {model} m LEFT JOIN told t ON t.{key} = m.{key} WHERE {differs}
        UNION ALL
        SELECT 'removed', t.{key}, {nothing} FROM told t
        WHERE NOT EXISTS (SELECT 1 FROM {model} m WHERE m.{key} = t.{key})""",
}
PLANS = {"as planned": (), "merge": ("enable_hashjoin",), "hash": ("enable_mergejoin",)}


class Joins:
    """Every way that seemed worth a try; the fastest of them are measured."""

    def __init__(self, database, model):
        self.database, self.model = database, model
        self.admin = database.connection_of("postgres")
        self.admin.execute("SET jit = off")
        hashed = f"hash_record_extended(ROW({model.listed('m')}), 0)"
        self.admin.execute(f"""
            CREATE TABLE told AS SELECT {hashed} AS hash, m.* FROM {model.view} m;
            ALTER TABLE told ADD PRIMARY KEY ({model.key}) INCLUDE (hash);""")
        self.ways = {}
        for form, text in FORMS.items():
            for comparison in (WHOLE, HASHED):
                if "hash below" in form and comparison == WHOLE:
                    continue
                statement = text.format(
                    key=model.key, model=model.view, contents=model.listed("m"), hash=hashed,
                    nothing=", ".join(f"NULL::{kind}" for kind in self.types()),
                    differs={
                        WHOLE: f"ROW({model.listed('m')}) IS DISTINCT FROM ROW({model.listed('t')})",
                        HASHED: f"{hashed} IS DISTINCT FROM t.hash",
                    }[comparison])
                for plan, switched_off in PLANS.items():
                    self.ways[f"{form}, {comparison}, {plan}"] = (statement, switched_off)

    def types(self):
        return [row[0] for row in self.admin.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", (self.model.view,))]

    def compute(self, way):
        """Finds the changes and throws them away, in the server."""
        return self.timed_way(way, "COPY ({}) TO '/dev/null'")

    def write(self, way, found):
        """Finds the changes and writes them to a table, whichever way is faster: INSERT never
        runs in parallel, CREATE TABLE AS may, and need not log its rows before its commit."""
        seconds = self.timed_way(way, "CREATE TABLE join_changes AS {}")
        rows = self.admin.execute("SELECT count(*) FROM join_changes").fetchone()[0]
        if rows != found:
            raise AssertionError(f"the join '{way}' found {rows} changes, not {found}")
        return seconds

    def timed_way(self, way, around):
        statement, switched_off = self.ways[way]
        self.admin.execute("DROP TABLE IF EXISTS join_changes")
        for setting in switched_off:
            self.admin.execute(f"SET {setting} = off")
        seconds = timed(lambda: self.admin.execute(around.format(statement)))
        for setting in switched_off:
            self.admin.execute(f"RESET {setting}")
        return seconds

    def keep_fastest(self, count=2):
        """Tries all, twice, and forgets the slower ones. Returns what was tried, fastest first."""
        tried = {way: min(self.compute(way), self.compute(way)) for way in self.ways}
        order = sorted(tried, key=tried.get)
        self.ways = {way: self.ways[way] for way in order[:count]}
        return [(way, tried[way]) for way in order]

    def take_over(self):
        """Tells `told` what has changed, outside of what is measured."""
        model = self.model
        hashed = f"hash_record_extended(ROW({model.listed('c')}), 0)"
        self.admin.execute(f"""
            UPDATE told t SET (hash, {model.listed()}) = ({hashed}, {model.listed('c')})
            FROM join_changes c WHERE t.{model.key} = c.changed_key""")
        settle_down(self.database, "told")
