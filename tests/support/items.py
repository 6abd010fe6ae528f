"""The model of most tests: items, changed at random, and what a consumer should end with."""

import random

from support.replay import parse

SCHEMA = """
CREATE TABLE items (
  id     integer PRIMARY KEY DEFERRABLE,
  name   text NOT NULL,
  amount numeric,
  note   text NOT NULL
);
CREATE VIEW item_rows AS
SELECT id, name, amount, note,
       json_build_object('id', id, 'name', name, 'amount', amount, 'note', note)::text AS message
FROM items;
"""

TEMPLATE = """{"id": {{row.id}}, "name": "{{row.name}}", "amount": {{row.amount}}, "note": "{{ row.note }}"}"""
BODIES = {
    "template": {"template": TEMPLATE},
    "body_column": {"body_column": "message"},
    "fields": {"fields": '{"id": "id", "name": "name", "amount": "amount", "note": "note"}'},
}

HOSTILE = ['plain', '', 'a "quoted" one', 'back\\slash', 'two\nlines\tand a tab', '{{row.id}}',
           '</script>', "it's", 'naïve – ☃ 🎻', '","admin":true,"x":"', '  spaces  ']


class Items:
    def __init__(self, connection, seed=1):
        self.connection = connection
        self.chance = random.Random(seed)

    def create(self):
        self.connection.execute(SCHEMA)
        return self

    def fill(self, count, first=1):
        self.connection.execute(
            "INSERT INTO items SELECT i, 'item ' || i, nullif(i %% 7, 0) * 1.250, 'note ' || i"
            " FROM generate_series(%s::integer, %s::integer) i", (first, count))
        return self

    def ids(self):
        return [row[0] for row in self.connection.execute("SELECT id FROM items ORDER BY id")]

    def change_at_random(self, count=10):
        """Inserts, updates, deletes and key swaps, `count` of each; ids come and go."""
        ids = self.ids()
        self.chance.shuffle(ids)
        updated, deleted, swapped = ids[:count], ids[count:2 * count], ids[2 * count:4 * count]
        top = (max(ids) if ids else 0) + count
        free = sorted(set(range(1, top + 1)) - set(ids))
        added = self.chance.sample(free, count)
        with self.connection.transaction():
            for item in updated:
                self.connection.execute("UPDATE items SET (name, amount, note) = (%s, %s, %s) WHERE id = %s",
                                        (*self.contents(), item))
            self.connection.execute("DELETE FROM items WHERE id = ANY (%s)", (deleted,))
            for item in added:
                self.connection.execute("INSERT INTO items VALUES (%s, %s, %s, %s)",
                                        (item, *self.contents()))
            for one, other in zip(swapped[::2], swapped[1::2]):
                self.connection.execute(
                    "UPDATE items SET id = CASE id WHEN %(one)s THEN %(other)s ELSE %(one)s END"
                    " WHERE id IN (%(one)s, %(other)s)", {"one": one, "other": other})

    def contents(self):
        amount = self.chance.choice([None, "0.10", "12345678901234567890.123456789", "-7", "1e3"])
        return (self.chance.choice(HOSTILE) + str(self.chance.randrange(1000)), amount,
                self.chance.choice(HOSTILE))

    def set_name(self, item, name):
        self.connection.execute("UPDATE items SET name = %s WHERE id = %s", (name, item))

    def expected(self):
        """What a replay consumer ends with when it has been told everything."""
        return {row[0]: parse(row[1]) for row in
                self.connection.execute("SELECT id::text, message FROM item_rows")}
