-- A shop: customers, their orders, and a view that joins them.
CREATE TABLE customers (
  customer_id integer PRIMARY KEY,
  full_name   text NOT NULL,
  region      text NOT NULL
);
CREATE TABLE orders (
  order_id    integer PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers ON DELETE CASCADE,
  amount      numeric(10, 2) NOT NULL
);
INSERT INTO customers
SELECT i, 'Customer ' || i, (ARRAY['north', 'south', 'east', 'west'])[1 + i % 4]
FROM generate_series(1, 3000) i;
INSERT INTO orders
SELECT i, 1 + i % 3000, (i % 500) + 0.95
FROM generate_series(1, 9000) i;
CREATE VIEW customer_totals AS
SELECT c.customer_id, c.full_name, c.region, count(o.order_id) AS orders, coalesce(sum(o.amount), 0) AS total
FROM customers c LEFT JOIN orders o USING (customer_id)
GROUP BY c.customer_id;
