-- The settings, and their bounds.
\set VERBOSITY default
\set SHOW_CONTEXT never
\c - postgres

SELECT name, setting, unit, min_val, max_val, boot_val, context FROM pg_settings WHERE name LIKE 'sqs\_sync.%' ORDER BY name;

-- They are the server's, not a session's.
SET sqs_sync.max_runners = 4;
\echo :SQLSTATE

-- Out of their bounds they are refused; how Postgres says so differs from major to major.
\set VERBOSITY sqlstate
ALTER SYSTEM SET sqs_sync.max_runners = 0;
ALTER SYSTEM SET sqs_sync.max_runners = 65;
ALTER SYSTEM SET sqs_sync.run_max_age = '-2';
ALTER SYSTEM SET sqs_sync.log_max_age = '0';
ALTER SYSTEM SET sqs_sync.log_max_age = '7 dayz';
ALTER SYSTEM SET sqs_sync.log_max_size = '0';
ALTER SYSTEM SET sqs_sync.log_max_size = '2 TB';

-- There are no others.
SET sqs_sync.max_runner = 4;
