-- name: save_enterprises
-- Registers what is new or changed, and answers with just that.
INSERT INTO enterprises AS e (uscc, name, region, industry, address, longitude, latitude)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[])
ON CONFLICT (uscc) DO UPDATE SET name = excluded.name, region = excluded.region, industry = excluded.industry,
    address = excluded.address, longitude = excluded.longitude, latitude = excluded.latitude,
    version = e.version + 1, changed_at = now()
WHERE (e.name, e.region, e.industry, e.address, e.longitude, e.latitude) IS DISTINCT FROM
    (excluded.name, excluded.region, excluded.industry, excluded.address, excluded.longitude, excluded.latitude)
RETURNING *

-- name: save_points
-- Registers what is new or changed, and answers with just that.
INSERT INTO points AS p (uscc, point, name, risk_unit, quantity, uom, ll, l, h, hh, deadband, on_delay_s, off_delay_s)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[],
    $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[])
ON CONFLICT (uscc, point) DO UPDATE SET name = excluded.name, risk_unit = excluded.risk_unit,
    quantity = excluded.quantity, uom = excluded.uom, ll = excluded.ll, l = excluded.l, h = excluded.h,
    hh = excluded.hh, deadband = excluded.deadband, on_delay_s = excluded.on_delay_s,
    off_delay_s = excluded.off_delay_s, version = p.version + 1, changed_at = now()
WHERE (p.name, p.risk_unit, p.quantity, p.uom, p.ll, p.l, p.h, p.hh, p.deadband, p.on_delay_s, p.off_delay_s)
    IS DISTINCT FROM (excluded.name, excluded.risk_unit, excluded.quantity, excluded.uom, excluded.ll, excluded.l,
    excluded.h, excluded.hh, excluded.deadband, excluded.on_delay_s, excluded.off_delay_s)
RETURNING *

-- name: enterprises_by_code
-- Some enterprises.
SELECT * FROM enterprises WHERE uscc = ANY($1::text[])

-- name: list_enterprises
-- A page of enterprises in sight.
SELECT * FROM enterprises WHERE region ^@ $1 AND ($2::text IS NULL OR uscc = $2)
  AND ($3::text IS NULL OR uscc > $3) ORDER BY uscc LIMIT $4

-- name: list_points
-- A page of the points of enterprises in sight.
SELECT p.* FROM points p JOIN enterprises e USING (uscc)
WHERE e.region ^@ $1 AND ($2::text IS NULL OR uscc = $2) AND ($3::text IS NULL OR uscc = $3)
  AND ($4::text IS NULL OR (uscc, point) > ($4, $5::text)) ORDER BY uscc, point LIMIT $6

-- name: point_names
-- The codes of an enterprise's points.
SELECT point FROM points WHERE uscc = $1

-- name: add_keys
-- New keys, as hashes.
INSERT INTO keys (prefix, uscc, name, hash, created_by)
SELECT prefix, uscc, $4, hash, $5 FROM unnest($1::text[], $2::text[], $3::bytea[]) AS k(prefix, uscc, hash)

-- name: key_by_prefix
-- A key that is in force, and whom it speaks for.
SELECT k.hash, e.uscc, e.name, e.region, e.industry FROM keys k JOIN enterprises e USING (uscc)
WHERE k.prefix = $1 AND k.revoked_at IS NULL

-- name: list_keys
-- All keys, without their secrets.
SELECT prefix, uscc, name, created_at, created_by, revoked_at, revoked_by FROM keys
WHERE ($1::text IS NULL OR uscc = $1) ORDER BY created_at, prefix

-- name: revoke_key
-- From now on the key is none.
UPDATE keys SET revoked_at = now(), revoked_by = $2 WHERE prefix = $1 AND revoked_at IS NULL RETURNING uscc

-- name: notify_doors
-- Every door forgets what it remembered of the registry, once this commits.
SELECT pg_notify('fengsui_registry', '')

-- name: marks
-- The marks of enterprises' points.
SELECT uscc, points_mark FROM enterprises WHERE uscc = ANY($1::text[])

-- name: limits_of
-- What points are judged by.
SELECT uscc, point, ll, l, h, hh, deadband, on_delay_s, off_delay_s FROM points
WHERE (uscc, point) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- name: names_of
-- What points are called.
SELECT uscc, point, name FROM points WHERE (uscc, point) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- name: lock_blocks
-- Blocks by their keys, held for this transaction.
SELECT b.* FROM unnest($1::text[], $2::int[]) AS g(uscc, block) JOIN engine_blocks b USING (uscc, block)
ORDER BY uscc, block FOR UPDATE OF b

-- name: find_blocks
-- The blocks that hold some points, and of each enterprise the last one; held for this transaction.
SELECT * FROM engine_blocks b
WHERE uscc = ANY($1::text[]) AND (
    EXISTS (SELECT FROM unnest(b.points) AS p(point)
        WHERE (b.uscc, p.point) IN (SELECT * FROM unnest($2::text[], $3::text[])))
    OR block = (SELECT max(m.block) FROM engine_blocks m WHERE m.uscc = b.uscc)
)
ORDER BY uscc, block FOR UPDATE

-- name: save_block
-- One block as it stands now.
INSERT INTO engine_blocks (uscc, block, points, last_at, last_value, states, since) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (uscc, block) DO UPDATE SET points = excluded.points, last_at = excluded.last_at,
    last_value = excluded.last_value, states = excluded.states, since = excluded.since

-- name: hear_sources
-- Sources that spoke; an older word does not overwrite a newer one.
INSERT INTO sources (uscc, source, heard_at, interval_s)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[])
ON CONFLICT (uscc, source) DO UPDATE SET heard_at = greatest(sources.heard_at, excluded.heard_at),
    interval_s = CASE WHEN excluded.heard_at >= sources.heard_at THEN excluded.interval_s ELSE sources.interval_s END

-- name: count_sources
-- How many sources promised to speak, and how many of them are silent for three of their own intervals; after a month
-- of silence one is taken to be gone for good.
SELECT count(*) AS expected, count(*) FILTER (WHERE heard_at < now() - 3 * interval_s * interval '1 second') AS silent
FROM sources WHERE interval_s > 0 AND heard_at > now() - interval '30 days'

-- name: list_sources
-- When each source in sight was last heard, the longest silent first: those are looked for.
SELECT s.* FROM sources s JOIN enterprises e USING (uscc)
WHERE e.region ^@ $1 AND ($2::text IS NULL OR uscc = $2) ORDER BY heard_at, uscc, source LIMIT $3

-- name: recall_enterprises
-- After a restore: what the bus knows better.
INSERT INTO enterprises AS e (uscc, name, region, industry, address, longitude, latitude, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::int[])
ON CONFLICT (uscc) DO UPDATE SET name = excluded.name, region = excluded.region, industry = excluded.industry,
    address = excluded.address, longitude = excluded.longitude, latitude = excluded.latitude,
    version = excluded.version, changed_at = now()
WHERE e.version < excluded.version RETURNING uscc

-- name: recall_points
-- After a restore: what the bus knows better.
INSERT INTO points AS p (uscc, point, name, risk_unit, quantity, uom, ll, l, h, hh, deadband, on_delay_s, off_delay_s,
    version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[],
    $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::int[])
ON CONFLICT (uscc, point) DO UPDATE SET name = excluded.name, risk_unit = excluded.risk_unit,
    quantity = excluded.quantity, uom = excluded.uom, ll = excluded.ll, l = excluded.l, h = excluded.h,
    hh = excluded.hh, deadband = excluded.deadband, on_delay_s = excluded.on_delay_s,
    off_delay_s = excluded.off_delay_s, version = excluded.version, changed_at = now()
WHERE p.version < excluded.version RETURNING uscc
