-- More syncs of the same shop: one whose rows are not all fit to be sent, one of groups, one of a queue that does not exist, and one that is paused.
CREATE TABLE invoices (invoice_id integer, number text, amount numeric(10, 2));
INSERT INTO invoices SELECT i, 'I-' || i, i * 1.5 FROM generate_series(1, 400) i;
INSERT INTO invoices VALUES (17, 'I-17 again', 1), (NULL, 'I-none', 2), (421, 'I-421' || chr(7), 3), (422, 'I-422' || chr(11), 4);
SELECT sqs_sync_create('invoices',
  model => 'invoices', key => 'invoice_id', server => 'aws', queue => 'invoices', message_id => '{{row.number}}',
  template => '{{row.number}}', format => 'text');
SELECT sqs_sync_create('orders',
  model => 'orders', key => 'order_id', server => 'aws', queue => 'orders.fifo', group_id => '{{row.customer_id}}',
  fields => '{"order": "order_id", "amount": "amount"}');
SELECT sqs_sync_create('regions',
  model => 'SELECT region, count(*) AS customers FROM customers GROUP BY region', key => 'region', server => 'aws',
  queue => 'regoins', fields => '["region", "customers"]', retry_for => '1 second');
SELECT sqs_sync_create('leads',
  model => 'SELECT * FROM customers WHERE customer_id > 2900', key => 'customer_id', server => 'aws', queue => 'leads',
  body_column => 'full_name', format => 'text', initial => 'skip');
SELECT sqs_sync_pause('leads');
