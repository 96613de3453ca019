-- name: now
-- A stock stands at this moment, the same all through a transaction.
SELECT now()

-- name: add_facts
-- What happened; answers those that were not known, for only they may be added to the roll-ups.
INSERT INTO facts (id, measure, at, day, region, industry, level, grade, enterprise, case_id, took)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::date[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::uuid[], $11::bigint[])
ON CONFLICT (id, measure) DO NOTHING RETURNING id, measure

-- name: add_to_rollups
-- What new facts add, each roll-up once; given in the order of their keys, so that two batches cannot deadlock.
INSERT INTO rollups AS r (measure, day, region, industry, level, grade, enterprise, count, sum, max)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::bigint[])
ON CONFLICT (measure, day, region, industry, level, grade, enterprise) DO UPDATE
SET count = r.count + excluded.count, sum = r.sum + excluded.sum, max = greatest(r.max, excluded.max)

-- name: keep_cases
-- How cases stand; an older version is ignored. Answers those that were kept.
INSERT INTO cases AS c (id, version, state, region, industry, level, grade, enterprise, opened_at, opened_on, due_at)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::date[], $11::timestamptz[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, region = excluded.region,
    industry = excluded.industry, level = excluded.level, grade = excluded.grade, enterprise = excluded.enterprise,
    opened_at = excluded.opened_at, opened_on = excluded.opened_on, due_at = excluded.due_at
WHERE c.version < excluded.version RETURNING id

-- name: keep_enterprises
-- What enterprises are called; an older version is ignored. Answers those that were kept.
INSERT INTO enterprises AS e (uscc, version, name) SELECT * FROM unnest($1::text[], $2::int[], $3::text[])
ON CONFLICT (uscc) DO UPDATE SET version = excluded.version, name = excluded.name
WHERE e.version < excluded.version RETURNING uscc

-- name: names
-- What some enterprises are called.
SELECT uscc, name FROM enterprises WHERE uscc = ANY($1::text[])

-- name: figures
-- Figures by group: what happened from the roll-ups, how cases stand from their copies; a field not grouped by is null.
WITH counted AS (
    SELECT * FROM rollups
    WHERE day BETWEEN coalesce($12::date, '-infinity') AND coalesce($13::date, 'infinity') AND measure = ANY($9::text[])
    UNION ALL
    SELECT s.measure, c.opened_on, c.region, c.industry, c.level, c.grade, c.enterprise, 1, 0, 0
    FROM cases c CROSS JOIN LATERAL (
        VALUES ('cases_open', true), ('cases_overdue', c.due_at < now())
    ) AS s(measure, stands)
    WHERE c.state NOT IN ('closed', 'void') AND s.stands AND s.measure = ANY($9::text[])
)
SELECT CASE WHEN 'day' = ANY($10::text[]) THEN day END AS day,
    CASE WHEN 'region' = ANY($10::text[]) THEN region END AS region,
    CASE WHEN 'industry' = ANY($10::text[]) THEN industry END AS industry,
    CASE WHEN 'level' = ANY($10::text[]) THEN level END AS level,
    CASE WHEN 'grade' = ANY($10::text[]) THEN grade END AS grade,
    CASE WHEN 'enterprise' = ANY($10::text[]) THEN enterprise END AS enterprise,
    measure, sum(count) AS count, sum(sum) AS sum, max(max) AS max
FROM counted
WHERE region ^@ $1 AND ($2::text IS NULL OR enterprise = $2) AND ($3::date IS NULL OR day = $3)
  AND ($4::text IS NULL OR region ^@ $4) AND ($5::text[] IS NULL OR industry = ANY($5))
  AND ($6::text[] IS NULL OR level = ANY($6)) AND ($7::text[] IS NULL OR grade = ANY($7))
  AND ($8::text IS NULL OR enterprise = $8)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7 LIMIT $11

-- name: list_facts
-- A page of the facts behind a figure, newest first.
SELECT f.id, f.at, f.day, f.region, f.industry, f.level, f.grade, f.enterprise, e.name, f.case_id, f.took
FROM facts f LEFT JOIN enterprises e ON e.uscc = f.enterprise
WHERE f.region ^@ $1 AND ($2::text IS NULL OR f.enterprise = $2) AND ($3::date IS NULL OR f.day = $3)
  AND ($4::text IS NULL OR f.region ^@ $4) AND ($5::text[] IS NULL OR f.industry = ANY($5))
  AND ($6::text[] IS NULL OR f.level = ANY($6)) AND ($7::text[] IS NULL OR f.grade = ANY($7))
  AND ($8::text IS NULL OR f.enterprise = $8) AND f.measure = $9
  AND ($10::timestamptz IS NULL OR (f.at, f.id) < ($10, $11::uuid))
  AND f.day BETWEEN coalesce($13::date, '-infinity') AND coalesce($14::date, 'infinity')
ORDER BY f.at DESC, f.id DESC LIMIT $12

-- name: list_standing
-- A page of the cases behind a stock, newest first.
SELECT c.id, c.opened_at AS at, c.opened_on AS day, c.region, c.industry, c.level, c.grade, c.enterprise, e.name,
    c.id AS case_id, 0::bigint AS took
FROM cases c LEFT JOIN enterprises e ON e.uscc = c.enterprise
WHERE c.region ^@ $1 AND ($2::text IS NULL OR c.enterprise = $2) AND ($3::date IS NULL OR c.opened_on = $3)
  AND ($4::text IS NULL OR c.region ^@ $4) AND ($5::text[] IS NULL OR c.industry = ANY($5))
  AND ($6::text[] IS NULL OR c.level = ANY($6)) AND ($7::text[] IS NULL OR c.grade = ANY($7))
  AND ($8::text IS NULL OR c.enterprise = $8) AND c.state NOT IN ('closed', 'void')
  AND ($9::text = 'cases_open' OR c.due_at < now())
  AND ($10::timestamptz IS NULL OR (c.opened_at, c.id) < ($10, $11::uuid))
ORDER BY c.opened_at DESC, c.id DESC LIMIT $12

-- name: allow_a_recount
-- Minutes, memory and whole tables, for this transaction. A timeout that runs keeps its first value unless it is
-- stopped in between.
SELECT set_config('transaction_timeout', '0', true), set_config('transaction_timeout', '5min', true),
    set_config('work_mem', '64MB', true), set_config('enable_seqscan', 'on', true)

-- name: recount
-- Every roll-up beside a recount of its facts, and every case copy beside its facts, all in one snapshot.
WITH recounted AS (
    SELECT measure, day, region, industry, level, grade, enterprise,
        count(*) AS count, sum(took)::bigint AS sum, max(took) AS max
    FROM facts GROUP BY measure, day, region, industry, level, grade, enterprise
), told AS (
    SELECT case_id, count(*) FILTER (WHERE measure = 'cases_opened') AS opened,
        count(*) FILTER (WHERE measure = 'cases_closed') AS closed
    FROM facts WHERE measure IN ('cases_opened', 'cases_closed') GROUP BY case_id
), pairs AS (
    SELECT measure, day, region, industry, level, grade, enterprise, NULL::uuid AS case_id,
        CASE WHEN r.count IS NOT NULL THEN ARRAY[r.count, r.sum, r.max] END AS kept,
        CASE WHEN n.count IS NOT NULL THEN ARRAY[n.count, n.sum, n.max] END AS recounted
    FROM rollups r FULL JOIN recounted n USING (measure, day, region, industry, level, grade, enterprise)
    UNION ALL
    SELECT 'cases', c.opened_on, c.region, c.industry, c.level, c.grade, c.enterprise, coalesce(c.id, t.case_id),
        CASE WHEN c.id IS NOT NULL THEN ARRAY[1, (c.state = 'closed')::int::bigint] END,
        CASE WHEN t.case_id IS NOT NULL THEN ARRAY[t.opened, t.closed] END
    FROM cases c FULL JOIN told t ON t.case_id = c.id
)
SELECT (SELECT count(*) FROM pairs) AS compared,
    (SELECT count(*) FROM pairs WHERE kept IS DISTINCT FROM recounted) AS differing,
    (SELECT coalesce(jsonb_agg(d), '[]') FROM (
        SELECT * FROM pairs WHERE kept IS DISTINCT FROM recounted
        ORDER BY measure, day, region, enterprise, case_id LIMIT $1
    ) AS d) AS differences

-- name: standing
-- How many cases are open, by level, and how many of them are overdue.
SELECT level, count(*) AS open, count(*) FILTER (WHERE due_at < now()) AS overdue
FROM cases WHERE state NOT IN ('closed', 'void') GROUP BY level

-- name: traced
-- For trace: the facts that came of some events.
SELECT id, measure, at, day, region, industry, level, grade, enterprise, case_id, took FROM facts
WHERE id = ANY($1::uuid[]) ORDER BY at, id, measure

-- name: effects
-- For reconcile: the facts that came of each pushed event, and how many of one enterprise and measure were too many.
SELECT ord, sum(number)::int AS effects, sum(number - 1)::int AS doubled
FROM (
    SELECT g.ord, count(*) AS number FROM unnest($1::uuid[]) WITH ORDINALITY AS g(origin, ord)
    JOIN inbox i ON i.origin = g.origin JOIN facts f ON f.id = i.id GROUP BY g.ord, f.enterprise, f.measure
) AS per_measure
GROUP BY ord
