-- sqs_sync_create: which rows go to which queue, and what the message is. All or nothing.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - analyst

CREATE TABLE book (isbn text PRIMARY KEY, title text NOT NULL, stock integer NOT NULL, price numeric(8, 2), site point);
INSERT INTO book VALUES
  ('0-19-853453-1', 'On Numbers and Games', 2, 45.00),
  ('0-201-89683-4', 'The "Art"', 7, 79.99),
  ('3-16-148410-0', E'Zahlen\tund Räume', 0, NULL);
CREATE TABLE no_key (isbn text, title text);
CREATE VIEW books AS SELECT isbn, title, stock, price FROM book;

-- The shortest: a table has a key already.
SELECT sqs_sync_create('short', model => 'book', server => 'sqs', queue => 'book-short', fields => '["isbn", "title"]');

-- All that can be said.
SELECT sqs_sync_create('books',
  model         => 'books',
  key           => 'isbn',
  server        => 'sqs',
  queue         => 'book-orders',
  template      => '{"isbn": "{{row.isbn}}", "title": "{{row.title | upcase}}", "price": {{row.price}}, "was": {{old.price}}}',
  attributes    => '{"event": "{{event}}", "stock": {"type": "Number", "value": "{{row.stock}}"}}',
  message_id    => 'book {{key}}',
  delay_seconds => '5',
  events        => '{added,changed}',
  compare       => '* except stock',
  initial       => 'backfill',
  order_by      => 'price desc nulls last, isbn',
  retry_for     => '10 minutes',
  guard_share   => '50%',
  guard_rows    => 10,
  max_messages_per_second => 100);

-- A SELECT becomes a view; a FIFO queue needs a group.
SELECT sqs_sync_create('groups', model => 'SELECT isbn, stock > 0 AS sold FROM book', key => 'isbn',
  server => 'sqs', queue => 'kept.fifo', body_column => 'sold', group_id => '{{row.isbn}}', dedup => 'content', guard_share => 'off');

SELECT name, owner, model, key, server, queue, events FROM sqs_sync.syncs ORDER BY name;
SELECT * FROM sqs_sync.events ORDER BY sync, event;

-- The name.
SELECT sqs_sync_create(NULL, model => 'books', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('', model => 'books', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create(repeat('é', 32), model => 'books', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('books', model => 'books', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

-- The model.
SELECT sqs_sync_create('new', model => NULL, key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'a.b.c.d', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => '', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'bookz', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'nowhere.books', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book_pkey', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT isbn FROM', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT isbm FROM book', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT 1 AS isbn; SELECT 2', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'DELETE FROM book RETURNING isbn', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT isbn, 1 / stock AS share FROM book WHERE stock = 0', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT isbn, title AS sqs_sync_title FROM book', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT isbn, ROW(stock, price) AS numbers FROM book', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
CREATE TEMPORARY TABLE passing (isbn text PRIMARY KEY);
SELECT sqs_sync_create('new', model => 'passing', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
CREATE FUNCTION bare(text) RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT stock FROM book WHERE isbn = $1); END $$;
SELECT sqs_sync_create('new', model => 'SELECT isbn, bare(isbn) AS stock FROM book', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

-- The key.
SELECT sqs_sync_create('new', model => 'books', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'no_key', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'SELECT 1 AS isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'books', key => 'isnb', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'books', key => 'isbn, isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'books', key => 'isbn,', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', key => 'site', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

-- The server.
SELECT sqs_sync_create('new', model => 'book', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqz', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'of_another_kind', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'aws', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'unmapped', queue => 'books', template => '1');
\echo :SQLSTATE

-- The queue.
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => '', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'book orders', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'invoices', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'https://sqs.us-east-1.amazonaws.com/000000000000/invoices', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'arn:aws:sns:us-east-1:000000000000:books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'https://sqs.us-east-1.amazonaws.com/000000000000/books-{{row.isbn}}', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books-{{row.isnb}}', template => '1');
\echo :SQLSTATE

-- The body: exactly one.
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', body_column => 'title');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', body_column => 'titel');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', fields => '"title"');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', fields => '{"name": 1}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', fields => '{"name": "titel"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', fields => '{"name": "title", "name": "isbn"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', fields => '["title"]', format => 'text');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', format => 'xml');
\echo :SQLSTATE

-- Templates.
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{"title": "{{row.titel}}"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{"title": "{{title}}"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{"title": "{{row.title | upcaes}}"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{"title": "{{row.title"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{"title": "{{row.title}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{% if row.stock > 0 %}{"stock": {{row.stock}}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '{% include "head" %}1');
\echo :SQLSTATE

-- Attributes and the message's other properties.
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '["event"]');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"AWS.event": "x"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"event": ""}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"stock": {"type": "Integer", "value": "1"}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"stock": {"type": "Number", "value": "many"}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"stock": {"typ": "Number", "value": "1"}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', attributes => '{"title": "{{row.titel}}"}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', message_id => '{{row.titel}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', delay_seconds => '901');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', delay_seconds => 'soon');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', dedup_id => '{{row.isbn}}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'kept.fifo', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'kept.fifo', template => '1', group_id => 'two words');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'kept.fifo', template => '1', group_id => 'one', delay_seconds => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'kept.fifo', template => '1', group_id => 'one', dedup => 'none');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'kept.fifo', template => '1', group_id => 'one', dedup => 'content', dedup_id => '1');
\echo :SQLSTATE

-- What is compared and published, and how.
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', events => '{}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', events => '{added,deleted}');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', events => NULL);
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', compare => 'titel');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', compare => '* except isbn, title, stock, price, site');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', initial => 'later');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', order_by => 'titel');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', order_by => 'title downwards');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', order_by => 'site');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', retry_for => '-1 s');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', guard_share => 'half');
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', guard_rows => -1);
\echo :SQLSTATE
SELECT sqs_sync_create('new', model => 'book', server => 'sqs', queue => 'books', template => '1', max_messages_per_second => 0);
\echo :SQLSTATE

-- Nothing of all that is left.
SELECT name FROM sqs_sync.syncs ORDER BY name;
SELECT relkind, count(*) FROM pg_class WHERE relnamespace = 'sqs_sync_data'::regnamespace AND relkind IN ('v', 'r') GROUP BY relkind ORDER BY relkind;
