-- Messages that had arrived before the database was restored: they are not sent a second time.
CREATE TABLE told (
    delivery_id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON told TO :service_work;
CALL bound('told', NULL);

-- What is old enough is forgotten by and by.
GRANT DELETE ON attempts, deliveries TO :service_work;
CREATE INDEX deliveries_by_age ON deliveries USING brin (due_at);
