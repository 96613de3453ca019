-- name: positions
-- Where the given partitions of a topic are read next, and in which log.
SELECT partition, next, cluster, topic_id, last_record, stopped
FROM positions WHERE topic = $1 AND partition = ANY($2::int[])

-- name: begin_positions
-- First reading of a partition.
INSERT INTO positions (topic, partition, next, cluster, topic_id)
SELECT $1, p, n, $4, $5 FROM unnest($2::int[], $3::bigint[]) AS t(p, n)
ON CONFLICT (topic, partition) DO NOTHING

-- name: move_positions
-- The chain: moves only from what was expected. A partition that is not answered was moved by another.
WITH given AS (
    SELECT * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) AS g(partition, expected, next, last_record)
), locked AS (
    SELECT p.partition FROM positions p JOIN given g USING (partition)
    WHERE p.topic = $1 AND p.next = g.expected AND p.stopped IS NULL
    ORDER BY p.partition FOR UPDATE OF p
)
UPDATE positions p SET next = g.next, last_record = g.last_record, moved_at = now()
FROM given g JOIN locked USING (partition)
WHERE p.topic = $1 AND p.partition = g.partition AND p.next = g.expected
RETURNING p.partition

-- name: skip_gap
-- Goes on behind records that retention ate.
UPDATE positions SET next = $4, last_record = NULL, moved_at = now()
WHERE topic = $1 AND partition = $2 AND next = $3 RETURNING partition

-- name: record_gap
-- How many were lost, and where.
INSERT INTO gaps (topic, partition, first_lost, count) VALUES ($1, $2, $3, $4)

-- name: stop_partition
-- A person must look before this partition goes on.
UPDATE positions SET stopped = $3 WHERE topic = $1 AND partition = $2

-- name: resume_partition
-- A person looked.
UPDATE positions SET stopped = NULL WHERE topic = $1 AND partition = $2 AND stopped IS NOT NULL RETURNING partition

-- name: stopped_partitions
-- What waits for a person.
SELECT topic, partition, next, stopped FROM positions WHERE stopped IS NOT NULL ORDER BY topic, partition

-- name: take_in
-- The new ids of a batch; of the known ones the digest they came with.
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::uuid[]) AS g(id, digest, origin)
), taken AS (
    INSERT INTO inbox (id, digest, origin) SELECT id, digest, origin FROM given ORDER BY id
    ON CONFLICT (id) DO NOTHING RETURNING id
)
SELECT id, true AS new, NULL::bytea AS digest FROM taken
UNION ALL
SELECT i.id, false, i.digest FROM inbox i JOIN given USING (id)

-- name: hold
-- Events that have no effect here, each with the reason.
UPDATE inbox SET held = h.reason FROM unnest($1::uuid[], $2::text[]) AS h(id, reason) WHERE inbox.id = h.id

-- name: bury
-- Dead letters of a batch.
INSERT INTO dead_letters (topic, partition, log_offset, key, payload, payload_size, reason, detail, event_id, origin)
SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::int[], $7::text[], $8::text[], $9::uuid[], $10::uuid[])

-- name: put_out
-- Outgoing events, in the transaction of their cause; one that a replay makes again is there already.
INSERT INTO outbox (id, topic, key, body)
SELECT id, $2, key, body FROM unnest($1::uuid[], $3::text[], $4::bytea[]) WITH ORDINALITY AS o(id, key, body, ord)
ORDER BY ord ON CONFLICT DO NOTHING

-- name: claim_outgoing
-- Unsent events in order; claimed, never read by "id > last": sequence order is not commit order.
SELECT seq, topic, key, body, created_at FROM outbox WHERE sent_at IS NULL ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: mark_sent
-- What the broker acknowledged.
UPDATE outbox SET sent_at = now() WHERE seq = ANY($1::bigint[])

-- name: outbox_state
-- How many wait, and how long the oldest has.
SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age
FROM outbox WHERE sent_at IS NULL

-- name: prune_outbox
-- Sent long enough ago that no restored broker needs it again.
DELETE FROM outbox WHERE seq IN (
    SELECT seq FROM outbox WHERE sent_at < now() - interval '7 days' ORDER BY sent_at LIMIT $1
)

-- name: count_dead
-- Dead letters that wait for a person.
SELECT count(*) FROM dead_letters WHERE state = 'waiting'

-- name: list_dead
-- A page of dead letters, oldest first.
SELECT id, topic, partition, log_offset, payload_size, reason, detail, event_id, at, state, resolved_at, resolved_by, note
FROM dead_letters WHERE id > $1 AND ($2::text IS NULL OR state = $2) ORDER BY id LIMIT $3

-- name: show_dead
-- One dead letter whole.
SELECT * FROM dead_letters WHERE id = $1

-- name: resolve_dead
-- A person decided; only a waiting one can be decided.
UPDATE dead_letters SET state = $2, resolved_at = now(), resolved_by = $3, note = $4
WHERE id = $1 AND state = 'waiting' RETURNING *

-- name: verdicts
-- For reconcile: what this service knows of pushed events by their origin, or ($2) of the pushed events alone and
-- not of what followed from them, which carries the same origin but no digest.
SELECT g.ord, i.id, i.held FROM unnest($1::uuid[]) WITH ORDINALITY AS g(origin, ord)
JOIN inbox i ON i.origin = g.origin AND (NOT $2::bool OR i.digest IS NOT NULL)

-- name: dead_verdicts
-- For reconcile: pushed events that wait among the dead letters.
SELECT g.ord, d.id FROM unnest($1::uuid[]) WITH ORDINALITY AS g(origin, ord)
JOIN dead_letters d ON d.origin = g.origin AND d.state = 'waiting'

-- name: append_audit
-- One row at the end of the chain; the trigger numbers and hashes it.
INSERT INTO audit (body) VALUES ($1)

-- name: audit_head_to_say
-- The end of the chain, when it is another than was said last; claimed, so that one replica says it.
UPDATE audit_head SET said = hash WHERE said IS DISTINCT FROM hash AND seq > 0 RETURNING seq, hash, now() AS at

-- name: list_audit
-- A page of the trail, newest first.
SELECT seq, hash, body FROM audit
WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2) AND ($3::text IS NULL OR at >= $3)
AND ($4::bigint IS NULL OR seq < $4) ORDER BY seq DESC LIMIT $5

-- name: audit_chain
-- The rows as they stand, oldest first, for whoever proves the chain.
SELECT seq, prev, hash, body FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2

-- name: audit_head
-- Where the chain ends.
SELECT seq, hash FROM audit_head
