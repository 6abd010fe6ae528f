-- The views: what users and programs read.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - analyst

\d sqs_sync.syncs
\d sqs_sync.events
\d sqs_sync.runs
\d sqs_sync.recent_runs
\d sqs_sync.held
\d sqs_sync.progress
\d sqs_sync.stats
\d sqs_sync.rejections
\d sqs_sync.dismissed
\d sqs_sync.forgotten
\d sqs_sync.requests
\d sqs_sync.recent_requests
\d sqs_sync.workers
\d sqs_sync.alerts
\d sqs_sync.alert_deliveries
\d sqs_sync.options
\d sqs_sync.error_codes

-- They are to be read: nothing is written by them.
\set VERBOSITY sqlstate
UPDATE sqs_sync.syncs SET name = 'other' WHERE name = 'books';
DELETE FROM sqs_sync.runs;
DELETE FROM sqs_sync.rejections;
\set VERBOSITY default

-- Every error that there is can be looked up.
SELECT kind, count(*) > 0 AS has_some FROM sqs_sync.error_codes GROUP BY kind ORDER BY kind;
SELECT means, action FROM sqs_sync.error_codes WHERE code = '55006';
