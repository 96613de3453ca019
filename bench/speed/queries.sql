-- name: add_points
-- So many points of each enterprise, with limits that the frames do not cross.
INSERT INTO ingest.points (uscc, point, name, h, hh, deadband)
SELECT e.uscc, 'T-' || lpad(n::text, 5, '0'), '测点 ' || n, 100, 120, 1
FROM ingest.enterprises e CROSS JOIN generate_series(0, $1::int - 1) AS n
ON CONFLICT (uscc, point) DO NOTHING

-- name: nobody_climbs
-- So that what a measurement left unanswered is no work of the next one.
UPDATE notify.routes SET ack_within = '1 day'

-- name: empty
-- An empty ledger with all that hangs on it; registry, positions and the engine's memory stay.
TRUNCATE hazards.cases, hazards.timeline, hazards.alarms, hazards.inbox, hazards.outbox,
    notify.cases, notify.calls, notify.notifications, notify.deliveries, notify.attempts, notify.inbox, notify.outbox,
    reporting.facts, reporting.rollups, reporting.cases, reporting.inbox

-- name: progress
-- How far each stage has committed, in records of its topics.
SELECT (SELECT coalesce(sum(next), 0) FROM hazards.positions WHERE topic = 'alarms')::bigint AS cases,
    (SELECT coalesce(sum(next), 0) FROM notify.positions WHERE topic = 'cases')::bigint AS notifications,
    (SELECT coalesce(sum(next), 0) FROM reporting.positions WHERE topic = 'alarms')::bigint AS alarm_facts,
    (SELECT coalesce(sum(next), 0) FROM reporting.positions WHERE topic = 'cases')::bigint AS case_facts,
    (SELECT coalesce(sum(next), 0) FROM ingest.positions WHERE topic = 'readings')::bigint AS frames

-- name: unsettled
-- What is still on its way anywhere: outboxes, and messages to people.
SELECT (SELECT count(*) FROM hazards.outbox WHERE sent_at IS NULL)
    + (SELECT count(*) FROM notify.outbox WHERE sent_at IS NULL)
    + (SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL)
    + (SELECT count(*) FROM notify.deliveries WHERE state IN ('waiting', 'behind', 'sending')) AS count

-- name: committed_cases
-- When the case of each alarm of a source was committed, in Unix seconds.
SELECT pushid, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at
FROM hazards.timeline WHERE source = $1

-- name: counted
-- What the alarms of a source became, to prove that nothing was lost or doubled while it was measured.
SELECT (SELECT count(*) FROM hazards.timeline WHERE source = $1 AND kind = 'opened') AS cases,
    (SELECT count(*) FROM notify.calls c JOIN notify.notifications n ON n.call_id = c.id
        WHERE c.source = $1) AS notifications,
    (SELECT count(*) FROM reporting.facts WHERE measure = 'alarms') AS facts

-- name: fill_hazards
-- Cases $1 to $2 of a ledger that has grown over a year: nine of ten closed, each with its alarm and its timeline.
WITH old AS (
    SELECT n, md5('case' || n)::uuid AS id, e.uscc, e.name, e.region, e.industry, n % 10 > 0 AS closed,
        now() - interval '1 year' + n * interval '1 year' / 1000001 AS at
    FROM generate_series($1::int, $2::int) AS n
    JOIN (SELECT row_number() OVER (ORDER BY uscc) - 1 AS place, * FROM ingest.enterprises) e ON e.place = n % 50
), made AS (
    INSERT INTO hazards.cases (id, cause, version, state, grade, level, title, enterprise, enterprise_name, region,
        industry, point, opened_at, overdue, tier, occurrences, active, changed_at)
    SELECT id, md5('cause' || n)::uuid, CASE WHEN closed THEN 5 ELSE 1 END,
        CASE WHEN closed THEN 'closed' ELSE 'reported' END, CASE WHEN closed THEN 'general' END, 'red', '反应釜超温',
        uscc, name, region, industry, 'O-' || n, at, false, 'county', 1, ARRAY['red'], at
    FROM old
), steps AS (
    INSERT INTO hazards.timeline (case_id, version, id, at, kind, by, detail, source, pushid, cause, written_at)
    SELECT id, s.version, md5('step' || n || '/' || s.version)::uuid, at + s.version * interval '1 hour', s.kind,
        'officer', '{}', CASE WHEN s.version = 1 THEN '//bench/old' END, CASE WHEN s.version = 1 THEN n::text END,
        CASE WHEN s.version = 1 THEN md5('alarm' || n)::uuid END, at
    FROM old CROSS JOIN (VALUES (1, 'opened'), (2, 'confirmed'), (3, 'started'), (4, 'submitted'), (5, 'accepted'))
        AS s(version, kind)
    WHERE closed OR s.version = 1
), board AS (
    INSERT INTO hazards.alarms (enterprise, point, level, region, industry, enterprise_name, state, value, "limit",
        raised_at, cleared_at, occurrences, case_id, acknowledged_at, said_at)
    SELECT uscc, 'O-' || n, 'red', region, industry, name, CASE WHEN closed THEN 'cleared' ELSE 'raised' END, 131.5,
        120, at, CASE WHEN closed THEN at + interval '1 hour' END, 1, id, at, at
    FROM old
), heard AS (
    INSERT INTO hazards.inbox (id, digest, origin, taken_at)
    SELECT md5('alarm' || n)::uuid, decode(md5('digest' || n), 'hex'), md5('origin' || n)::uuid, at FROM old
)
INSERT INTO hazards.outbox (id, topic, key, body, created_at, sent_at)
SELECT md5('step' || n || '/1')::uuid, 'cases', id::text, convert_to(repeat('x', 600), 'UTF8'), at, at FROM old

-- name: fill_notify
-- What was told of these cases.
WITH old AS (
    SELECT n, md5('case' || n)::uuid AS id, md5('step' || n || '/1')::uuid AS call, e.uscc, e.region, e.industry,
        n % 10 > 0 AS closed, now() - interval '1 year' + n * interval '1 year' / 1000001 AS at
    FROM generate_series($1::int, $2::int) AS n
    JOIN (SELECT row_number() OVER (ORDER BY uscc) - 1 AS place, * FROM ingest.enterprises) e ON e.place = n % 50
), remembered AS (
    INSERT INTO notify.cases (id, first_created_at, answered_at) SELECT id, at, at FROM old
), called AS (
    INSERT INTO notify.calls (id, case_id, kind, is_alarm, level, title, region, enterprise, industry, point, source,
        pushid, occurred_at, opened_at, first_created_at, state, tier, answered_at, answered_by, over_at)
    SELECT call, id, 'opened', true, 'red', '反应釜超温', region, uscc, industry, 'O-' || n, '//bench/old', n::text,
        at, at, at, CASE WHEN closed THEN 'ended' ELSE 'answered' END, 'county', at, 'officer',
        CASE WHEN closed THEN at END
    FROM old
), told AS (
    INSERT INTO notify.notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state,
        created_at, acknowledged_at, acknowledged_by)
    SELECT md5('told' || n)::uuid, call, id, region, uscc, 'county', 'officer-' || region, true, 'acknowledged', at, at,
        'officer'
    FROM old
), sent AS (
    INSERT INTO notify.deliveries (id, notification_id, call_id, place, contact, message, state, tries, due_at, body)
    SELECT md5('sent' || n)::uuid, md5('told' || n)::uuid, call, 0, 'officer-' || region, 'created', 'delivered', 1, at,
        convert_to(repeat('x', 600), 'UTF8')
    FROM old
), tried AS (
    INSERT INTO notify.attempts (delivery_id, try, notification_id, message, channel, at, outcome, detail)
    SELECT md5('sent' || n)::uuid, 1, md5('told' || n)::uuid, 'created', 'webhook', at, 'delivered', '200 OK' FROM old
), heard AS (
    INSERT INTO notify.inbox (id, origin, taken_at) SELECT call, md5('origin' || n)::uuid, at FROM old
)
INSERT INTO notify.outbox (id, topic, key, body, created_at, sent_at)
SELECT md5('said' || n)::uuid, 'notifications', id::text, convert_to(repeat('x', 600), 'UTF8'), at, at FROM old

-- name: fill_reporting
-- What was counted of these cases; the roll-ups equal their facts.
WITH old AS (
    SELECT n, md5('case' || n)::uuid AS id, e.uscc, e.region, e.industry, n % 10 > 0 AS closed,
        now() - interval '1 year' + n * interval '1 year' / 1000001 AS at
    FROM generate_series($1::int, $2::int) AS n
    JOIN (SELECT row_number() OVER (ORDER BY uscc) - 1 AS place, * FROM ingest.enterprises) e ON e.place = n % 50
), new_facts AS (
    INSERT INTO reporting.facts (id, measure, at, day, region, industry, level, grade, enterprise, case_id, took)
    SELECT md5(f.measure || n)::uuid, f.measure, at, (at AT TIME ZONE 'Asia/Shanghai')::date, region, industry, 'red',
        '', uscc, id, 0
    FROM old CROSS JOIN (VALUES ('alarms'), ('cases_opened')) AS f(measure)
    RETURNING measure, day, region, industry, level, grade, enterprise
), rolled AS (
    INSERT INTO reporting.rollups AS r (measure, day, region, industry, level, grade, enterprise, count, sum, max)
    SELECT measure, day, region, industry, level, grade, enterprise, count(*), 0, 0 FROM new_facts
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (measure, day, region, industry, level, grade, enterprise) DO UPDATE SET count = r.count + excluded.count
), copied AS (
    INSERT INTO reporting.cases (id, version, state, region, industry, level, grade, enterprise, opened_at, opened_on)
    SELECT id, 1, CASE WHEN closed THEN 'closed' ELSE 'reported' END, region, industry, 'red', '', uscc, at,
        (at AT TIME ZONE 'Asia/Shanghai')::date
    FROM old
)
INSERT INTO reporting.inbox (id, origin, taken_at)
SELECT md5(f.name || n)::uuid, md5('origin' || n)::uuid, at FROM old CROSS JOIN (VALUES ('alarm'), ('step')) AS f(name)

-- name: close_cases
-- The cases that a source opened are closed, so that the same points may open others.
UPDATE hazards.cases SET state = 'closed'
WHERE id IN (SELECT case_id FROM hazards.timeline WHERE source = $1)

-- name: forget_alarms
-- And the board does not know their points any more.
DELETE FROM hazards.alarms WHERE case_id IN (SELECT case_id FROM hazards.timeline WHERE source = $1)

-- name: bare_table
-- A table with a key and an index, for what PostgreSQL takes without us.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.bare (id uuid PRIMARY KEY, enterprise text, point text, at timestamptz, body bytea);
CREATE INDEX ON bench.bare (enterprise, at)

-- name: drop_bare_table
-- And away with it.
DROP SCHEMA bench CASCADE

-- name: bare_unnest
-- A batch of rows in one statement, as our services write them.
INSERT INTO bench.bare (id, enterprise, point, at, body)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[])
