-- Rows that fell due and whose step fails by their own fault: they wait here and hold up no other.

CREATE TABLE stuck_rows (
    timer text NOT NULL,
    key text NOT NULL,                 -- of the row, as the timer names it
    reason text NOT NULL,
    failures integer NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now(),
    again_at timestamptz NOT NULL,
    PRIMARY KEY (timer, key)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON stuck_rows TO :service_work;

CALL bound('stuck_rows', NULL);
