-- What the desk looks at all day: the board by points, gravest first, and the cases that are open.

-- Four levels while in alarm, none after it; of the same level what nobody answered comes first.
CREATE FUNCTION urgency(state text, level text, acknowledged_at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN CASE WHEN state <> 'raised' THEN 0 WHEN level = 'red' THEN 8 WHEN level = 'orange' THEN 6
    WHEN level = 'yellow' THEN 4 ELSE 2 END + CASE WHEN acknowledged_at IS NULL THEN 1 ELSE 0 END;

CREATE INDEX alarms_newest ON alarms (raised_at DESC, enterprise DESC, point DESC) WHERE raised_at IS NOT NULL;
CREATE INDEX alarms_gravest
    ON alarms (urgency(state, level, acknowledged_at) DESC, raised_at DESC, enterprise DESC, point DESC)
    WHERE raised_at IS NOT NULL;
CREATE INDEX alarms_raised ON alarms (enterprise, point) INCLUDE (level, region, acknowledged_at)
    WHERE state = 'raised';
CREATE INDEX cases_of_state ON cases (state, opened_at DESC, id DESC);
CREATE INDEX cases_open ON cases (region text_pattern_ops, enterprise) INCLUDE (state, due_at, overdue)
    WHERE state NOT IN ('closed', 'void');

-- A point stands on the board once: at its gravest level in alarm, else at the level that was in alarm last.
CREATE VIEW board WITH (security_invoker = true) AS
SELECT a.*, urgency(a.state, a.level, a.acknowledged_at) AS urgency FROM alarms a
WHERE a.raised_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM alarms b
    WHERE b.enterprise = a.enterprise AND b.point = a.point AND b.raised_at IS NOT NULL
      AND (urgency(b.state, b.level, NULL), b.raised_at, b.level)
        > (urgency(a.state, a.level, NULL), a.raised_at, a.level)
);

GRANT SELECT ON board TO :service_work, :service_ask;
