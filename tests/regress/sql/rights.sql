-- A stranger: what he sees, and what he can do.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - analyst
SELECT max(run_id) AS run_id FROM sqs_sync.runs \gset
\c - other

-- He sees that there is nothing.
SELECT * FROM sqs_sync.syncs;
SELECT * FROM sqs_sync.runs;
SELECT * FROM sqs_sync.rejections;
SELECT * FROM sqs_sync.requests;
SELECT * FROM sqs_sync.alerts;
SELECT sqs_sync_report() LIKE '%books%' AS tells_of_it;

-- He can do nothing to a sync of another role, nor look at it.
SELECT sqs_sync_alter('books', queue => 'mine');
\echo :SQLSTATE
SELECT sqs_sync_on('books', 'added', queue => 'mine');
\echo :SQLSTATE
SELECT sqs_sync_off('books', 'added');
\echo :SQLSTATE
SELECT sqs_sync_drop('books');
\echo :SQLSTATE
SELECT sqs_sync_pause('books');
\echo :SQLSTATE
SELECT sqs_sync_resume('books');
\echo :SQLSTATE
SELECT sqs_sync_run('books');
\echo :SQLSTATE
\set VERBOSITY sqlstate
SELECT sqs_sync_wait(:run_id);
SELECT sqs_sync_cancel(:run_id);
SELECT sqs_sync_approve(:run_id);
SELECT sqs_sync_discard(:run_id);
CALL sqs_sync_run_and_wait('books');
\set VERBOSITY default
SELECT sqs_sync_resync('books');
\echo :SQLSTATE
SELECT sqs_sync_baseline('books');
\echo :SQLSTATE
SELECT sqs_sync_retry('books');
\echo :SQLSTATE
SELECT sqs_sync_dismiss('books');
\echo :SQLSTATE
SELECT sqs_sync_forget_doubt('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_preview('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_render('books', '0-201-89683-4');
\echo :SQLSTATE
SELECT * FROM sqs_sync_test('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_check('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_explain('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_log('books');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trace('books', '0-201-89683-4');
\echo :SQLSTATE
SELECT sqs_sync_report('books');
\echo :SQLSTATE
SELECT sqs_sync_schedule('books', '* * * * *');
\echo :SQLSTATE
SELECT sqs_sync_run_after('books', NULL);
\echo :SQLSTATE
SELECT sqs_sync_stats_reset('books');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', sync => 'books', condition => 'run_failed', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_drop('failed');
\echo :SQLSTATE
SELECT * FROM sqs_sync_alert_test('failed');
\echo :SQLSTATE
SELECT * FROM sqs_sync_queues('sqs');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trust_policy('sqs', queues => 'books');
\echo :SQLSTATE
SELECT sqs_sync_take_over();
\echo :SQLSTATE

-- The tables behind the views are nobody's but the extension's, as are snapshots but their owner's.
SELECT * FROM sqs_sync.sync;
\echo :SQLSTATE
SELECT * FROM sqs_sync.run;
\echo :SQLSTATE
SELECT sqs_sync.announce();
\echo :SQLSTATE
CREATE TABLE sqs_sync_data.mine (id integer);
\echo :SQLSTATE
SELECT * FROM sqs_sync_data.snapshot_1;
\echo :SQLSTATE

-- He cannot make a sync of what is not his: he needs a model, and a server.
SELECT sqs_sync_create('mine', model => 'book', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE
SELECT sqs_sync_create('mine', model => 'SELECT 1 AS id', key => 'id', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

\c - postgres
GRANT USAGE ON FOREIGN SERVER sqs TO other;
\c - other
SELECT sqs_sync_create('mine', model => 'SELECT * FROM book', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

-- A superuser makes no sync of what others can change.
\c - postgres
CREATE VIEW trusting AS SELECT * FROM book;
SELECT sqs_sync_create('trusting', model => 'trusting', key => 'isbn', server => 'sqs', queue => 'books', template => '1');
\echo :SQLSTATE

-- A member of pg_monitor sees that syncs are there, and nothing that comes from rows.
GRANT pg_monitor TO other;
\c - other
SELECT name, owner FROM sqs_sync.syncs ORDER BY name;
SELECT * FROM sqs_sync.rejections;
SELECT sqs_sync_run('books');
\echo :SQLSTATE
\c - postgres
REVOKE pg_monitor FROM other;

-- The extension goes with its connections. The schema with the tables of syncs stays.
\set VERBOSITY terse
DROP EXTENSION sqs_sync;
\echo :SQLSTATE
DROP EXTENSION sqs_sync CASCADE;
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sqs\_sync%' ORDER BY 1;
