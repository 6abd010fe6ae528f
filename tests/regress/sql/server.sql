-- What a DBA does once: the extension, a connection to SQS, and who may use it.
\set VERBOSITY default
\set SHOW_CONTEXT never
\getenv endpoint SQS_ENDPOINT

-- The extension's own schema is no place for its functions, and must not be there before.
CREATE EXTENSION sqs_sync SCHEMA sqs_sync;
\echo :SQLSTATE
CREATE SCHEMA sqs_sync;
CREATE EXTENSION sqs_sync SCHEMA sqs_sync;
\echo :SQLSTATE
CREATE EXTENSION sqs_sync;
\echo :SQLSTATE
DROP SCHEMA sqs_sync;

-- It needs a superuser.
SET ROLE analyst;
CREATE EXTENSION sqs_sync;
\echo :SQLSTATE
RESET ROLE;

CREATE EXTENSION sqs_sync;

-- A server says where SQS is. Its options are checked when they are given.
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync;
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (regoin 'eu-west-1');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'Ireland');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region '');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', endpoint_url 'localhost:4566');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', endpoint_url 'http://10.0.0.1');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', endpoint_url 'https://169.254.169.254');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', allowed_queues 'orders*, ,books');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', allowed_queues 'arn:aws:sqs:*');
\echo :SQLSTATE
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1');
CREATE SERVER sqs FOREIGN DATA WRAPPER sqs_sync
  OPTIONS (region 'us-east-1', endpoint_url :'endpoint', sts_endpoint_url :'endpoint', allowed_queues 'book*, kept.fifo');
CREATE SERVER unmapped FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1');
CREATE FOREIGN DATA WRAPPER of_another_kind;
CREATE SERVER of_another_kind FOREIGN DATA WRAPPER of_another_kind;

-- There are no foreign tables: the wrapper has no handler.
CREATE FOREIGN TABLE books_there (isbn text) SERVER aws;
SELECT * FROM books_there;
\echo :SQLSTATE
DROP FOREIGN TABLE books_there;

-- A user mapping says as whom we come. No error repeats a secret.
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (acess_key_id 'test');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (access_key_id 'test');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs;
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (access_key_id 'test', secret_access_key '');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'hush', profile 'work');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (ambient_credentials 'perhaps');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (ambient_credentials 'true', role_arn 'sqs-sync');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (ambient_credentials 'true', role_arn 'arn:aws:iam::123456789012:role/sqs-sync', external_id 'no spaces');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (web_identity_token_file 'token', role_arn 'arn:aws:iam::123456789012:role/sqs-sync');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER sqs OPTIONS (web_identity_token_file '/token', role_arn 'arn:aws:iam::123456789012:role/sqs-sync', external_id 'x7Qm');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER sqs OPTIONS (access_key_id 'test', secret_access_key 'test');
CREATE USER MAPPING FOR PUBLIC SERVER aws OPTIONS (access_key_id 'test', secret_access_key 'test');

GRANT USAGE ON FOREIGN SERVER sqs, unmapped, of_another_kind TO analyst;
GRANT CREATE ON SCHEMA public TO analyst;

-- Where requests go, and what lends the server's own identity, is a superuser's to say.
GRANT USAGE ON FOREIGN DATA WRAPPER sqs_sync TO analyst;
\c - analyst
CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1', endpoint_url 'https://example.com');
\echo :SQLSTATE
CREATE SERVER mine FOREIGN DATA WRAPPER sqs_sync OPTIONS (region 'eu-west-1');
CREATE USER MAPPING FOR analyst SERVER mine OPTIONS (ambient_credentials 'true');
\echo :SQLSTATE
CREATE USER MAPPING FOR analyst SERVER mine OPTIONS (profile 'default');
\echo :SQLSTATE
DROP SERVER mine;

-- The options are a view, to be looked up.
SELECT object, option, required, means FROM sqs_sync.options WHERE wrapper = 'sqs_sync' ORDER BY 1, 2;

-- Which queues there are.
SELECT name, type FROM sqs_sync_queues('sqs', prefix => 'book-') ORDER BY name;
SELECT * FROM sqs_sync_queues(NULL);
\echo :SQLSTATE
SELECT * FROM sqs_sync_queues('nowhere');
\echo :SQLSTATE
SELECT * FROM sqs_sync_queues('of_another_kind');
\echo :SQLSTATE
SELECT * FROM sqs_sync_queues('aws');
\echo :SQLSTATE
SELECT * FROM sqs_sync_queues('unmapped');
\echo :SQLSTATE

-- How to let the connection in at AWS is for whoever may change the user mapping.
SELECT * FROM sqs_sync_trust_policy('sqs');
\echo :SQLSTATE
\c - postgres
SELECT step, what FROM sqs_sync_trust_policy('sqs');
SELECT * FROM sqs_sync_trust_policy('sqs', queues => 'books', account => '42');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trust_policy('sqs', queues => 'no queue');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trust_policy('sqs', role => 'nobody');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trust_policy('nowhere');
\echo :SQLSTATE
SELECT * FROM sqs_sync_trust_policy('unmapped', queues => 'books');
\echo :SQLSTATE
