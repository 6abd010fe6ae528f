-- What one looks at before a run: preview, render, explain, check. Nothing is sent.
\set VERBOSITY default
\set SHOW_CONTEXT never
\getenv endpoint SQS_ENDPOINT
\c - analyst

\pset format unaligned
SELECT key, event, queue, delay_seconds, attributes, body, bytes, problem FROM sqs_sync_preview('books');
SELECT key, event, body FROM sqs_sync_preview('books', 1);
SELECT key, event, "row", old FROM sqs_sync_preview('short', 1);

-- It sees what its own transaction has done.
BEGIN;
DELETE FROM book WHERE stock = 0;
UPDATE book SET title = repeat('long ', 250000) WHERE stock = 2;
SELECT key, event, bytes, problem, hint FROM sqs_sync_preview('books');
ROLLBACK;

SELECT * FROM sqs_sync_preview('unheard of');
\echo :SQLSTATE
SELECT * FROM sqs_sync_preview(NULL);
\echo :SQLSTATE
SELECT * FROM sqs_sync_preview('books', -1);
\echo :SQLSTATE

-- One row, by its key.
SELECT key, event, queue, body FROM sqs_sync_render('books', '3-16-148410-0');
SELECT key, event, queue, body FROM sqs_sync_render('short', '{"isbn": "0-201-89683-4"}', event => 'removed');
SELECT key, event, queue, body FROM sqs_sync_render('short', '{"isbn": "0-201-89683-4"}', event => 'changed');
SELECT * FROM sqs_sync_render('books', '0');
\echo :SQLSTATE
SELECT * FROM sqs_sync_render('books', '{"title": "0"}');
\echo :SQLSTATE
SELECT * FROM sqs_sync_render('books', '{"isbn": null}');
\echo :SQLSTATE
SELECT * FROM sqs_sync_render('books', NULL);
\echo :SQLSTATE
SELECT * FROM sqs_sync_render('books', '3-16-148410-0', event => 'deleted');
\echo :SQLSTATE
SELECT key, event, body, problem, hint FROM sqs_sync_render('books', '3-16-148410-0', event => 'removed');

-- What a run would do and cost.
SELECT item, value FROM sqs_sync_explain('books') WHERE item NOT IN ('statement', 'plan');
SELECT * FROM sqs_sync_explain('unheard of');
\echo :SQLSTATE

-- Whether all is there that a run needs. What is wrong is a row, and no error.
SELECT item, ok, replace(detail, :'endpoint', 'http://…') AS detail, hint FROM sqs_sync_check('books') WHERE item <> 'worker';
SELECT sqs_sync_create('wrong', model => 'SELECT NULLIF(isbn, ''3-16-148410-0'') AS isbn, title FROM book', key => 'isbn',
  server => 'sqs', queue => 'book-that-is-not-there', template => '{{row.title}}');
SELECT item, replace(detail, :'endpoint', 'http://…') AS detail, hint FROM sqs_sync_check('wrong') WHERE ok IS NOT TRUE;
SELECT sqs_sync_drop('wrong');
SELECT * FROM sqs_sync_check('unheard of');
\echo :SQLSTATE

-- How much of the calls is kept.
SELECT level, share, calls, until, afterwards FROM sqs_sync_log('books');
SELECT level, share, calls, until, afterwards FROM sqs_sync_log('books', 'sample');
SELECT level, share, calls, until, afterwards FROM sqs_sync_log('books', 'all', calls => 100);
SELECT * FROM sqs_sync_log('books', 'everything');
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', share => 0.5);
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', 'all', share => 0.5);
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', 'sample', share => 2);
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', 'errors', lasting => '1 hour');
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', 'all', calls => 0);
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books', 'all', lasting => '-1 hour');
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('unheard of');
\echo :SQLSTATE
