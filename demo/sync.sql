-- The analyst: which rows, told to which queue, in which words.
SELECT sqs_sync_create('customers',
  model      => 'customer_totals',
  key        => 'customer_id',
  server     => 'aws',
  queue      => 'customers',
  template   => '{"name": "{{row.full_name}}", "orders": {{row.orders}}, "total": {{row.total}}}',
  attributes => '{"event": "{{event}}", "key": "{{key}}"}');
