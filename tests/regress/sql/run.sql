-- Runs, and what they leave: rejections, held runs, what is told again.
\set VERBOSITY default
\set SHOW_CONTEXT never
\getenv endpoint SQS_ENDPOINT
\c - analyst

-- A run id at once, and the work in the background.
SELECT sqs_sync_run('books') AS run_id \gset
SELECT sqs_sync_wait(:run_id);
SELECT sync, state, rows_added, rows_changed, rows_removed, published, rejected, error FROM sqs_sync.runs WHERE run_id = :run_id;
SELECT count(*) FROM sqs_sync_preview('books');
SELECT operation, replace(queue, :'endpoint', 'http://…') AS queue, status, error FROM sqs_sync.requests WHERE run_id = :run_id AND operation = 'SendMessageBatch';
SELECT what, event, code, detail FROM sqs_sync_trace('books', '3-16-148410-0');
SELECT * FROM sqs_sync_trace('books', 'no such book');

-- A second run, in which a row is too long for SQS.
UPDATE book SET title = upper(title) WHERE stock = 2;
UPDATE book SET title = repeat('long ', 250000) WHERE stock = 0;
SELECT sqs_sync_run('books') AS run_id \gset
SELECT sqs_sync_wait(:run_id, timeout => '1 minute');
SELECT state, rows_changed, published, rejected, reasons FROM sqs_sync.runs WHERE run_id = :run_id;
SELECT key, event, code, reason, hint, message_id, retried_when FROM sqs_sync.rejections WHERE sync = 'books';
SELECT sqs_sync_dismiss('books', code => 'message_too_long', preview => true);
SELECT sqs_sync_dismiss('books', key => '3-16-148410-0');
SELECT key, code, dismissed_by FROM sqs_sync.dismissed WHERE sync = 'books';
SELECT sqs_sync_retry('books');
SELECT sqs_sync_retry('books', key => '3-16-148410-0');
SELECT sqs_sync_retry('books', key => 'no such book');
SELECT sqs_sync_dismiss('unheard of');
\echo :SQLSTATE

-- Too much at once is held, and somebody decides.
UPDATE book SET title = 'Games';
SELECT sqs_sync_alter('books', guard_rows => 0);
SELECT sqs_sync_run('books') AS run_id \gset
SELECT sqs_sync_wait(:run_id);
SELECT sync, rows_changed, reason FROM sqs_sync.held;
SELECT key, event, problem FROM sqs_sync_preview('books');
SELECT sqs_sync_discard(:run_id);
SELECT sqs_sync_run('books') AS run_id \gset
SELECT sqs_sync_wait(:run_id);
SELECT sqs_sync_approve(:run_id);
SELECT sqs_sync_wait(:run_id);
SELECT sqs_sync_approve(0);
\echo :SQLSTATE
SELECT sqs_sync_discard(0);
\echo :SQLSTATE

-- Of a run that has ended there is nothing to decide.
\set VERBOSITY sqlstate
SELECT sqs_sync_approve(:run_id);
SELECT sqs_sync_discard(:run_id);
\set VERBOSITY default

-- Rows can be told again, or be taken as told.
SELECT sqs_sync_resync('books', 'stock > 0', preview => true);
SELECT sqs_sync_resync('books', 'stok > 0');
\echo :SQLSTATE
SELECT sqs_sync_baseline('short', preview => true);
SELECT sqs_sync_baseline('short');
SELECT sqs_sync_forget_doubt('books', preview => true);
SELECT sqs_sync_resync('unheard of');
\echo :SQLSTATE

-- A run that is not there, or cannot be waited for.
SELECT sqs_sync_wait(0);
\echo :SQLSTATE
SELECT sqs_sync_cancel(0);
\echo :SQLSTATE
SELECT sqs_sync_run('unheard of');
\echo :SQLSTATE
CALL sqs_sync_run_and_wait('unheard of');
\echo :SQLSTATE
BEGIN;
\set VERBOSITY sqlstate
SELECT sqs_sync_run('books') AS run_id \gset
SELECT sqs_sync_wait(:run_id);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sqs_sync_wait(max(run_id)) FROM sqs_sync.runs;
ROLLBACK;
\set VERBOSITY default
BEGIN;
CALL sqs_sync_run_and_wait('books');
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT sqs_sync_run('books');
\echo :SQLSTATE
ROLLBACK;

-- A run that fails says why, and what to do.
SELECT sqs_sync_alter('short', queue => 'book-that-is-not-there', retry_for => '0');
UPDATE book SET title = 'Numbers' WHERE stock = 7;
SELECT sqs_sync_run('short') AS run_id \gset
SELECT sqs_sync_wait(:run_id);
SELECT state, sqlstate, replace(error, :'endpoint', 'http://…') AS error, hint FROM sqs_sync.runs WHERE run_id = :run_id;

-- A test sends one real message, and changes nothing.
SELECT key, event, queue, message_id IS NOT NULL AS is_sent, code, error FROM sqs_sync_test('books');
SELECT key, event, queue, message_id IS NOT NULL AS is_sent, code, replace(error, :'endpoint', 'http://…') AS error, hint FROM sqs_sync_test('short');
