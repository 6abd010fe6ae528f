-- The DBA, once: where SQS is (here an emulator), as whom, and who may use it.
CREATE EXTENSION sqs_sync;
CREATE SERVER aws FOREIGN DATA WRAPPER sqs_sync
  OPTIONS (region 'us-east-1', endpoint_url ':endpoint');
CREATE USER MAPPING FOR analyst SERVER aws
  OPTIONS (access_key_id 'test', secret_access_key 'test');
GRANT USAGE ON FOREIGN SERVER aws TO analyst;
