-- name: lock_alarms
-- The board's places of some points, held for this transaction.
SELECT enterprise, point, level, region, industry, enterprise_name, state, value, "limit", message, raised_at, cleared_at,
    occurrences, case_id, acknowledged_at, acknowledged_by, unanswered_at, said_at
FROM alarms WHERE (enterprise, point) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY enterprise, point, level FOR UPDATE

-- name: lock_open_cases
-- The open case of each cause, held for this transaction.
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by
FROM cases WHERE cause = ANY($1::uuid[]) AND state NOT IN ('closed', 'void') ORDER BY id FOR UPDATE

-- name: save_alarms
-- How the board stands now.
INSERT INTO alarms (enterprise, point, level, region, industry, enterprise_name, state, value, "limit", message,
    raised_at, cleared_at, occurrences, case_id, acknowledged_at, acknowledged_by, unanswered_at, said_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[],
    $9::float8[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::int[], $14::uuid[], $15::timestamptz[],
    $16::text[], $17::timestamptz[], $18::timestamptz[])
ON CONFLICT (enterprise, point, level) DO UPDATE SET region = excluded.region, industry = excluded.industry,
    enterprise_name = excluded.enterprise_name, state = excluded.state, value = excluded.value,
    "limit" = excluded."limit", message = excluded.message, raised_at = excluded.raised_at,
    cleared_at = excluded.cleared_at, occurrences = excluded.occurrences, case_id = excluded.case_id,
    acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by,
    unanswered_at = excluded.unanswered_at, said_at = excluded.said_at

-- name: save_cases
-- How the cases stand now; whoever saves holds their rows, or makes them.
INSERT INTO cases (id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point,
    opened_at, due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by)
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, string_to_array(active, ','), next_check_at, responsible, measures,
    money, plan, submitted_by
FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::bool[], $16::text[], $17::int[],
    $18::text[], $19::timestamptz[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[])
    AS c(id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, grade = excluded.grade,
    level = excluded.level, due_at = excluded.due_at, overdue = excluded.overdue, tier = excluded.tier,
    occurrences = excluded.occurrences, active = excluded.active, next_check_at = excluded.next_check_at,
    responsible = excluded.responsible, measures = excluded.measures, money = excluded.money, plan = excluded.plan,
    submitted_by = excluded.submitted_by, changed_at = now()
WHERE cases.version <= excluded.version

-- name: change_case
-- How a case stands after a person's step, at the version that it was held at.
UPDATE cases SET version = $2, state = $3, grade = $4, due_at = $5, overdue = $6, tier = $7, next_check_at = $8,
    responsible = $9, measures = $10, money = $11, plan = $12, submitted_by = $13, changed_at = now()
WHERE id = $1 AND version = $2 - 1

-- name: add_steps
-- Rows of the timeline; one that stands there already is an error, for its effect would be doubled.
INSERT INTO timeline (case_id, version, id, at, kind, by, detail, source, pushid, cause)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[],
    $8::text[], $9::text[], $10::uuid[])

-- name: acknowledge_alarms
-- Somebody answered: the alarms of these cases are acknowledged.
UPDATE alarms a SET acknowledged_at = g.at, acknowledged_by = g.by, unanswered_at = NULL
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS g(case_id, at, by)
WHERE a.case_id = ANY($1::uuid[]) AND a.case_id = g.case_id AND a.acknowledged_at IS NULL
  AND (g.at >= a.raised_at OR a.raised_at > now())  -- an enterprise's clock may run ahead of ours

-- name: acknowledge_recalled
-- After a restore: answers that came before their alarms, which may have gone on to a later case of their point.
UPDATE alarms a SET acknowledged_at = g.at, acknowledged_by = g.by, unanswered_at = NULL
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS g(case_id, at, by) JOIN cases c ON c.id = g.case_id
WHERE a.enterprise = ANY(ARRAY(SELECT enterprise FROM cases WHERE id = ANY($1::uuid[])))
  AND a.enterprise = c.enterprise AND a.point = c.point AND a.acknowledged_at IS NULL AND a.raised_at <= g.at
  AND (a.case_id = c.id OR EXISTS (
    SELECT FROM cases later WHERE later.id = a.case_id AND later.cause = c.cause AND later.opened_at > g.at
  ))

-- name: take_due_cases
-- Open cases whose deadline is to be looked at, each by one replica only.
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by
FROM cases WHERE next_check_at <= now() AND state NOT IN ('closed', 'void')
  AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'climb' AND key = id::text AND again_at > now())
ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: take_unanswered_alarms
-- Alarms that wait for an answer longer than the policy allows. Not cleared: "raised" would invite the index of all
-- that are, as in `late`.
SELECT enterprise, point, level, region, industry, enterprise_name, state, value, "limit", message, raised_at, cleared_at,
    occurrences, case_id, acknowledged_at, acknowledged_by, unanswered_at, said_at
FROM alarms WHERE unanswered_at <= now() AND state <> 'cleared' AND acknowledged_at IS NULL
  AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'open_unanswered'
    AND key = enterprise || '/' || point || '/' || level AND again_at > now())
ORDER BY unanswered_at LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: late
-- How long the oldest due row of each timer has waited, in seconds; those that are stuck are counted elsewhere.
SELECT timer, coalesce(extract(epoch FROM now() - due_at), 0)::float8 AS late
FROM (VALUES
    ('climb', (SELECT next_check_at FROM cases WHERE next_check_at <= now() AND state NOT IN ('closed', 'void')
        AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'climb' AND key = id::text)
        ORDER BY next_check_at LIMIT 1)),
    ('open_unanswered', (SELECT unanswered_at FROM alarms
        WHERE unanswered_at <= now() AND state <> 'cleared' AND acknowledged_at IS NULL
        AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'open_unanswered'
            AND key = enterprise || '/' || point || '/' || level)
        ORDER BY unanswered_at LIMIT 1))
) AS oldest(timer, due_at)

-- name: periods
-- Deadline periods that differ from the defaults.
SELECT stage, what, within, climb FROM deadline_periods

-- name: policies
-- When an alarm that is not serious opens a case.
SELECT level, repeats, unanswered FROM case_policies

-- name: now
-- Due is what the database's clock says.
SELECT now()

-- name: lock_case
-- One case, held for a command.
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by
FROM cases WHERE id = $1 FOR UPDATE

-- name: case_by_id
-- One case.
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by
FROM cases WHERE id = $1

-- name: recalled_steps
-- After a restore: what the bus still tells of cases, and of any that no sign had opened; not the answers set aside.
SELECT body FROM recalled WHERE version IS NOT NULL
    AND subject IN (SELECT unnest($1::uuid[]) UNION SELECT subject FROM recalled WHERE version = 1 AND own)

-- name: recalled_next
-- After a restore: cases whose next step the bus still tells, held for this transaction.
SELECT c.id, c.cause, c.version, c.state, c.grade, c.level, c.title, c.enterprise, c.enterprise_name, c.region,
    c.industry, c.point, c.opened_at, c.due_at, c.overdue, c.tier, c.occurrences, c.active, c.next_check_at,
    c.responsible, c.measures, c.money, c.plan, c.submitted_by
FROM cases c WHERE c.id = ANY(ARRAY(SELECT subject FROM recalled WHERE own AND version IS NOT NULL))
    AND EXISTS (SELECT FROM recalled r WHERE r.subject = c.id AND r.version = c.version + 1 AND r.own)
ORDER BY c.id LIMIT $1 FOR UPDATE OF c

-- name: forget_recalled
-- Steps of cases that they do not fit any more.
DELETE FROM recalled WHERE subject = ANY($1::uuid[])

-- name: recalled_answers
-- Answers that came before their alarms were read again, taken from what was set aside.
DELETE FROM recalled WHERE id IN (SELECT id FROM recalled WHERE version IS NULL LIMIT $1) RETURNING body

-- name: timeline_page
-- The newest rows of a case's timeline, before a version.
SELECT * FROM timeline WHERE case_id = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3

-- name: timelines_of
-- Whole timelines, for the export.
SELECT * FROM timeline WHERE case_id = ANY($1::uuid[]) ORDER BY case_id, version

-- name: list_cases
-- A page of cases in sight, newest first.
SELECT id, cause, version, state, grade, level, title, enterprise, enterprise_name, region, industry, point, opened_at,
    due_at, overdue, tier, occurrences, active, next_check_at, responsible, measures, money, plan, submitted_by
FROM cases
WHERE region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
  AND ($3::text[] IS NULL OR state = ANY($3)) AND ($4::text[] IS NULL OR grade = ANY($4))
  AND ($5::text[] IS NULL OR level = ANY($5)) AND ($6::text IS NULL OR region ^@ $6)
  AND ($7::text[] IS NULL OR industry = ANY($7)) AND ($8::text IS NULL OR enterprise = $8)
  AND ($9::bool IS NULL OR (overdue OR (due_at < now() AND state NOT IN ('closed', 'void'))) = $9)
  AND ($10::text IS NULL OR strpos(lower(title), lower($10)) > 0 OR strpos(lower(enterprise_name), lower($10)) > 0)
  AND ($11::timestamptz IS NULL OR opened_at >= $11)
  AND ($12::timestamptz IS NULL OR (opened_at, id) < ($12, $13::uuid))
ORDER BY opened_at DESC, id DESC LIMIT $14

-- name: list_alarms
-- A page of points that are or were in alarm, newest first.
SELECT * FROM board
WHERE region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
  AND ($3::text[] IS NULL OR state = ANY($3)) AND ($4::text[] IS NULL OR level = ANY($4))
  AND ($5::text IS NULL OR region ^@ $5) AND ($6::text[] IS NULL OR industry = ANY($6))
  AND ($7::text IS NULL OR enterprise = $7)
  AND ($8::text IS NULL OR strpos(lower(point), lower($8)) > 0 OR strpos(lower(enterprise_name), lower($8)) > 0)
  AND ($9::timestamptz IS NULL OR raised_at >= $9) AND ($10::bool IS NULL OR (acknowledged_at IS NOT NULL) = $10)
  AND ($11::timestamptz IS NULL OR (raised_at, enterprise, point) < ($11, $12::text, $13::text))
ORDER BY raised_at DESC, enterprise DESC, point DESC LIMIT $14

-- name: list_gravest
-- The same, gravest first: what is in alarm, red on top, what nobody answered before what somebody did, then newest.
SELECT * FROM board
WHERE region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
  AND ($3::text[] IS NULL OR state = ANY($3)) AND ($4::text[] IS NULL OR level = ANY($4))
  AND ($5::text IS NULL OR region ^@ $5) AND ($6::text[] IS NULL OR industry = ANY($6))
  AND ($7::text IS NULL OR enterprise = $7)
  AND ($8::text IS NULL OR strpos(lower(point), lower($8)) > 0 OR strpos(lower(enterprise_name), lower($8)) > 0)
  AND ($9::timestamptz IS NULL OR raised_at >= $9) AND ($10::bool IS NULL OR (acknowledged_at IS NOT NULL) = $10)
  AND ($11::int IS NULL OR (urgency, raised_at, enterprise, point) < ($11, $12::timestamptz, $13::text, $14::text))
ORDER BY urgency DESC, raised_at DESC, enterprise DESC, point DESC LIMIT $15

-- name: board_alarms
-- How many points are in alarm in sight, by their gravest level, and how many of these nobody answered.
SELECT (ARRAY['blue', 'yellow', 'orange', 'red'])[urgency / 2] AS level, count(*) AS points,
    count(*) FILTER (WHERE urgency % 2 = 1) AS unanswered
FROM (
    SELECT max(urgency('raised', level, acknowledged_at)) AS urgency FROM alarms
    WHERE state = 'raised' AND region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
    GROUP BY enterprise, point
) AS points GROUP BY urgency / 2

-- name: board_cases
-- How many cases in sight are open, by state.
SELECT state, count(*) AS cases, count(*) FILTER (WHERE overdue OR due_at < now()) AS overdue FROM cases
WHERE state NOT IN ('closed', 'void') AND region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
GROUP BY state

-- name: board_enterprises
-- The enterprises in sight with anything open, gravest first, as their newest case or else alarm names them.
WITH alarmed AS (
    SELECT enterprise, max(urgency('raised', level, NULL)) / 2 AS gravity, count(DISTINCT point) AS alarms FROM alarms
    WHERE state = 'raised' AND region ^@ $1 AND ($2::text IS NULL OR enterprise = $2) GROUP BY enterprise
), concerned AS (
    SELECT enterprise, count(*) AS cases FROM cases
    WHERE state NOT IN ('closed', 'void') AND region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
    GROUP BY enterprise
)
SELECT enterprise AS uscc, named.name, named.region, named.industry,
    (ARRAY['blue', 'yellow', 'orange', 'red'])[gravity] AS level,
    coalesce(alarmed.alarms, 0) AS alarms, coalesce(concerned.cases, 0) AS cases
FROM (SELECT enterprise FROM alarmed UNION SELECT enterprise FROM concerned) AS e
LEFT JOIN alarmed USING (enterprise) LEFT JOIN concerned USING (enterprise) CROSS JOIN LATERAL (
    (SELECT c.enterprise_name AS name, c.region, c.industry FROM cases c
        WHERE c.enterprise = e.enterprise ORDER BY c.opened_at DESC, c.id DESC LIMIT 1)
    UNION ALL
    (SELECT a.enterprise_name, a.region, a.industry FROM alarms a
        WHERE a.enterprise = e.enterprise ORDER BY a.raised_at DESC NULLS LAST LIMIT 1)
    LIMIT 1
) AS named
ORDER BY gravity DESC NULLS LAST, alarms DESC, uscc

-- name: traced
-- For trace: the timeline rows of some events with their case as it is now, and whether they were said on the bus.
SELECT t.id, t.cause, t.case_id, t.version, t.kind, t.at, t.written_at, t.detail, c.state, c.level, c.title, c.enterprise,
    c.point, o.id IS NOT NULL AS queued, o.sent_at
FROM timeline t JOIN cases c ON c.id = t.case_id LEFT JOIN outbox o ON o.id = t.id
WHERE t.cause = ANY($1::uuid[]) ORDER BY t.written_at, t.case_id, t.version

-- name: touched
-- For reconcile: the timeline rows of each pushed event, and those of one enterprise that are one too many.
SELECT g.ord, count(t.id) AS rows, count(t.id) - count(DISTINCT c.enterprise) AS doubled
FROM unnest($1::uuid[]) WITH ORDINALITY AS g(origin, ord)
JOIN inbox i ON i.origin = g.origin JOIN timeline t ON t.cause = i.id JOIN cases c ON c.id = t.case_id GROUP BY g.ord
