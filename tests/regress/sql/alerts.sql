-- Alerts: what is watched, and the channels by which it is told. And schedules, without pg_cron.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - postgres

-- A channel is a server; which options it has depends on its kind.
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts;
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'pigeon');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'webhook');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'webhook', url 'example.com');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'webhook', url 'https://example.com', path '/hook');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'email', host 'localhost', "from" 'a', "to" 'b');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'email', host 'localhost', "from" 'a@example.com', "to" 'b@example.com', port '99999');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'sms', region 'us-east-1');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'sms', region 'us-east-1', topic_arn 'arn:aws:sqs:us-east-1:000000000000:told');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify', name '');
\echo :SQLSTATE
CREATE SERVER told FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'notify', name 'told');
CREATE SERVER hook FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'webhook', url 'https://example.com');
CREATE USER MAPPING FOR PUBLIC SERVER hook OPTIONS (secret 'hush');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER hook OPTIONS (routing_key 'hush', signing_secret 'hush');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER hook OPTIONS (signing_secret 'hush');
GRANT USAGE ON FOREIGN SERVER told, hook TO analyst;
GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync_alerts TO analyst;
\c - analyst
CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync_alerts OPTIONS (channel 'webhook', url 'https://10.0.0.1', internal_network 'true');
\echo :SQLSTATE

SELECT object, option, required, means FROM sqs_sync.options WHERE wrapper = 'sqs_sync_alerts' ORDER BY object, means;

-- An alert watches one condition, of one sync or of all.
SELECT sqs_sync_alert_create('failed', sync => 'books', condition => 'run_failed', channel => 'told', remind_every => '1 hour');
SELECT sqs_sync_alert_create('many rejected', condition => 'rejections', over => '5%', channel => 'told');
SELECT sqs_sync_alert_create('late', sync => 'books', condition => 'no_success', within => '1 day', channel => 'told');
SELECT alert, owner, sync, condition, "over", within, channel, state, remind_every FROM sqs_sync.alerts ORDER BY alert;

SELECT sqs_sync_alert_create(NULL, condition => 'run_failed', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('', condition => 'run_failed', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('failed', condition => 'run_failed', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', sync => 'unheard of', condition => 'run_failed', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_faild', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed', over => '5', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'rejections', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'rejections', over => 'many', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'no_success', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'worker_down', within => '1 second', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed', remind_every => '0', channel => 'told');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed', channel => 'nowhere');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed', channel => 'sqs');
\echo :SQLSTATE
SELECT sqs_sync_alert_create('new', condition => 'run_failed', channel => 'hook');
\echo :SQLSTATE

-- Silenced, it tells nothing for a while.
SELECT sqs_sync_alert_silence('failed', '1 hour') > now() AS is_silenced;
SELECT sqs_sync_alert_silence('failed', '0');
\echo :SQLSTATE
SELECT sqs_sync_alert_silence('unheard of', '1 hour');
\echo :SQLSTATE
SELECT sqs_sync_alert_unsilence('failed');
SELECT * FROM sqs_sync_alert_test('failed');
SELECT * FROM sqs_sync_alert_test('unheard of');
\echo :SQLSTATE
SELECT sqs_sync_alert_drop('late');
SELECT sqs_sync_alert_drop('late');
\echo :SQLSTATE
SELECT alert FROM sqs_sync.alerts ORDER BY alert;

-- Without pg_cron the error says how to get it.
SELECT sqs_sync_schedule('books', '*/5 * * * *');
\echo :SQLSTATE
SELECT sqs_sync_schedule('books', 'every minute');
\echo :SQLSTATE
SELECT sqs_sync_schedule('books', '61 * * * *');
\echo :SQLSTATE
SELECT sqs_sync_schedule('unheard of', '* * * * *');
\echo :SQLSTATE
SELECT sqs_sync_unschedule('books');
\echo :SQLSTATE
