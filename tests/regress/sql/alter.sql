-- What can be done to a sync that is there: alter, on and off, pause and resume, drop.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - analyst

-- Options left out stay.
SELECT sqs_sync_alter('short', queue => 'book-gone', fields => '{"no": "isbn"}', guard_share => 'off');
SELECT queue, fields, guard_share, version FROM sqs_sync.syncs WHERE name = 'short';
SELECT sqs_sync_alter('books', reset => '{compare,order_by,retry_for,max_messages_per_second}');
SELECT compare, order_by, retry_for, max_messages_per_second, version FROM sqs_sync.syncs WHERE name = 'books';

SELECT sqs_sync_alter(NULL, queue => 'book-orders');
\echo :SQLSTATE
SELECT sqs_sync_alter('unheard of', queue => 'book-orders');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', server => 'nowhere');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', queue => 'invoices');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', fields => '["titel"]');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', template => '1', body_column => 'title');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', compare => 'titel');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', reset => '{queue}');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', reset => '{model}');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', reset => '{fields}');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', order_by => 'title', reset => '{order_by}');
\echo :SQLSTATE
SELECT sqs_sync_alter('short', events => '{}');
\echo :SQLSTATE
SELECT sqs_sync_alter('groups', reset => '{group_id}');
\echo :SQLSTATE

-- An event can be published otherwise than the sync says, under a condition, or not at all.
SELECT sqs_sync_on('short', 'removed', queue => 'book-orders', template => '{"gone": "{{row.isbn}}"}');
SELECT sqs_sync_on('short', 'changed', condition => 'stock = 0 AND old.stock > 0');
SELECT sqs_sync_off('short', 'added');
SELECT * FROM sqs_sync.events WHERE sync = 'short' ORDER BY event;
SELECT sqs_sync_on('short', 'changed', reset => '{condition}');
SELECT sqs_sync_on('short', 'added');

SELECT sqs_sync_on('short', 'deleted');
\echo :SQLSTATE
SELECT sqs_sync_on('short', NULL);
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => 'stok > 0');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => 'stock');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => 'stock > 0;');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => 'stock > (SELECT 1');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => '');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', condition => 'max(stock) > 0');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', template => '{{row.titel}}');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', queue => 'kept.fifo');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', without => '{queue}');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', without => '{title}');
\echo :SQLSTATE
SELECT sqs_sync_on('short', 'added', message_id => '1', reset => '{message_id}');
\echo :SQLSTATE
SELECT sqs_sync_off('short', 'deleted');
\echo :SQLSTATE
SELECT sqs_sync_create('single', model => 'book', server => 'sqs', queue => 'books', template => '1', events => '{added}');
SELECT sqs_sync_off('single', 'added');
\echo :SQLSTATE

-- Pause and resume, again and again.
SELECT sqs_sync_pause('single');
SELECT sqs_sync_pause('single');
SELECT name, state FROM sqs_sync.syncs WHERE name = 'single';
SELECT sqs_sync_run('single');
\echo :SQLSTATE
SELECT sqs_sync_resume('single');
SELECT sqs_sync_resume('single');
SELECT sqs_sync_pause('unheard of');
\echo :SQLSTATE

-- A sync can run after another one, and not after itself.
SELECT sqs_sync_run_after('single', 'short');
SELECT name, runs_after FROM sqs_sync.syncs WHERE runs_after IS NOT NULL;
SELECT sqs_sync_run_after('single', 'single');
\echo :SQLSTATE
SELECT sqs_sync_run_after('short', 'single');
\echo :SQLSTATE
SELECT sqs_sync_run_after('single', 'unheard of');
\echo :SQLSTATE
SELECT sqs_sync_run_after('single', NULL);

-- Dropped, nothing of it is left.
SELECT sqs_sync_drop('single');
SELECT sqs_sync_drop('single');
\echo :SQLSTATE
SELECT sqs_sync_drop('groups');
SELECT count(*) AS views FROM pg_class WHERE relnamespace = 'sqs_sync_data'::regnamespace AND relkind = 'v';
