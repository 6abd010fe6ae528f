"""The models that are measured, of as many rows as wanted. A share of the rows can be changed:
rows all over the table, others in each round."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Model:
    table: str
    view: str
    key: str
    columns: tuple
    create: str
    fill: str
    change: str

    def make(self, database, rows):
        """The table, filled with rows 1 to `rows`, and the view of it."""
        database.analyst.execute(self.create)
        self.add(database, 1, rows)

    def add(self, database, first, last):
        database.analyst.execute(self.fill, {"first": first, "last": last})

    def change_one_in(self, database, share, turn):
        """Changes one row in `share`; others at each `turn`. Returns how many."""
        return database.analyst.execute(self.change, {"share": share, "turn": turn % share}).rowcount

    def listed(self, alias=None):
        return ", ".join(f"{alias}.{column}" if alias else column for column in self.columns)


# Nine columns of the usual types; as JSON a row has about 300 bytes.
CUSTOMERS = Model(
    table="customers",
    view="customer_rows",
    key="customer_id",
    columns=("customer_id", "full_name", "email", "address", "status", "balance",
             "last_order_at", "birthday", "subscribed"),
    create="""
        CREATE TABLE customers (
          customer_id   bigint PRIMARY KEY,
          full_name     text NOT NULL,
          email         text NOT NULL,
          address       text NOT NULL,
          status        text NOT NULL,
          balance       numeric(12, 2) NOT NULL,
          last_order_at timestamptz,
          birthday      date,
          subscribed    boolean NOT NULL
        );
        CREATE VIEW customer_rows AS SELECT * FROM customers;""",
    fill="""
        INSERT INTO customers
        SELECT i, 'Customer ' || initcap(substr(h, 1, 6)) || ' ' || initcap(substr(h, 7, 8)),
               substr(h, 1, 10) || '@example.com',
               substr(h, 15, 4) || ' ' || initcap(substr(h, 19, 9)) || ' Street, ' || initcap(substr(h, 5, 10)),
               (ARRAY['new', 'active', 'dormant', 'closed'])[1 + i %% 4],
               (i * 7919 %% 1000000) / 100.0,
               CASE WHEN i %% 10 > 0 THEN timestamptz '2024-01-01' + i %% 31536000 * interval '1 second' END,
               CASE WHEN i %% 20 > 0 THEN date '1950-01-01' + (i %% 20000)::integer END,
               i %% 3 = 0
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) i, md5(i::text) h""",
    change="""
        UPDATE customers SET balance = balance + 1, status = 'changed'
        WHERE customer_id %% %(share)s = %(turn)s""",
)

_TYPES = (
    ("text", "substr(md5((i * {n})::text), 1, 12)"),
    ("integer", "(i * {n} %% 100000)::integer"),
    ("numeric(12, 2)", "(i * {n} %% 1000000) / 100.0"),
    ("timestamptz", "timestamptz '2024-01-01' + (i + {n}) %% 31536000 * interval '1 second'"),
    ("boolean", "i %% {n} = 0"),
)
_WIDE = [(f"c{n}", *_TYPES[n % len(_TYPES)]) for n in range(1, 200)]

# Two hundred columns, of which messages use four.
WIDE = Model(
    table="wide",
    view="wide_rows",
    key="id",
    columns=("id", *(name for name, _, _ in _WIDE)),
    create="CREATE TABLE wide (id bigint PRIMARY KEY, "
           + ", ".join(f"{name} {kind}" for name, kind, _ in _WIDE)
           + "); CREATE VIEW wide_rows AS SELECT * FROM wide;",
    fill="INSERT INTO wide SELECT i, "
         + ", ".join(value.format(n=int(name[1:])) for name, _, value in _WIDE)
         + " FROM generate_series(%(first)s::bigint, %(last)s::bigint) i",
    change="UPDATE wide SET c1 = c1 + 1 WHERE id %% %(share)s = %(turn)s",
)
