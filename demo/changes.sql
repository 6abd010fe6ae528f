-- Some of the shop's everyday life.
INSERT INTO customers VALUES (3001, 'Nora "The New" Newton', 'north');
INSERT INTO orders VALUES (9001, 3001, 12.50), (9002, 7, 99.00);
UPDATE customers SET full_name = 'Customer 42, renamed' WHERE customer_id = 42;
DELETE FROM customers WHERE customer_id = 1000;
