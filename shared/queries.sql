-- name: positions
-- Where the given partitions of a topic are read next, and in which log.
SELECT partition, next, cluster, topic_id, last_record, stopped, fault
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
UPDATE positions SET stopped = $3, fault = $4 WHERE topic = $1 AND partition = $2

-- name: resume_partition
-- A person looked.
UPDATE positions SET stopped = NULL, fault = NULL
WHERE topic = $1 AND partition = $2 AND stopped IS NOT NULL RETURNING partition

-- name: every_position
-- Where a service stands in some topics.
SELECT topic, partition, next, cluster, topic_id, stopped, fault, moved_at FROM positions
WHERE topic = ANY($1::text[]) ORDER BY topic, partition

-- name: hold_position
-- One position, held while a person moves it.
SELECT topic, partition, next, cluster, topic_id, stopped, fault FROM positions
WHERE topic = $1 AND partition = $2 FOR UPDATE

-- name: repair_position
-- A person said where to go on, and in which log; nobody has read the record before it.
UPDATE positions SET next = $3, cluster = $4, topic_id = $5, last_record = NULL, stopped = NULL, fault = NULL,
    moved_at = now()
WHERE topic = $1 AND partition = $2

-- name: stopped_partitions
-- What waits for a person.
SELECT topic, partition, next, stopped, fault FROM positions WHERE stopped IS NOT NULL ORDER BY topic, partition

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

-- name: say_again
-- Sent events of a topic that are to be sent once more; those that are under way are not.
UPDATE outbox SET sent_at = NULL WHERE seq IN (
    SELECT seq FROM outbox WHERE topic = $1 AND sent_at >= $2 AND sent_at < $3
    ORDER BY seq LIMIT $4 FOR UPDATE SKIP LOCKED
) RETURNING seq

-- name: outbox_state
-- How many wait, and how long the oldest has.
SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age
FROM outbox WHERE sent_at IS NULL

-- name: prune_outbox
-- Sent long enough ago that no restored broker needs it again.
DELETE FROM outbox WHERE seq IN (
    SELECT seq FROM outbox WHERE sent_at < now() - interval '7 days' ORDER BY sent_at LIMIT $1
)

-- name: database_state
-- How large the database is, and how near its two limits: connections, and transactions since the oldest frozen row.
SELECT pg_database_size(oid) AS bytes, age(datfrozenxid)::bigint AS xid_age,
    (SELECT sum(numbackends) FROM pg_stat_database)::int AS connections,
    current_setting('max_connections')::int AS most
FROM pg_database WHERE datname = current_database()

-- name: postpone_stuck
-- Rows of a timer whose step failed by their own fault: each time twice as long, up to a minute.
INSERT INTO stuck_rows AS s (timer, key, reason, again_at)
SELECT $1, key, reason, now() + interval '2 seconds' FROM unnest($2::text[], $3::text[]) AS g(key, reason)
ON CONFLICT (timer, key) DO UPDATE SET reason = excluded.reason, failures = s.failures + 1,
    again_at = now() + interval '1 second' * least(60, 2 ^ least(s.failures + 1, 6))

-- name: forget_stuck
-- Rows of a timer that were dealt with, and those that are due no more.
DELETE FROM stuck_rows WHERE timer = $1 AND (key = ANY($2::text[]) OR again_at < now() - interval '10 minutes')

-- name: count_stuck
-- How many rows of each timer are stuck.
SELECT timer, count(*)::int AS stuck FROM stuck_rows WHERE again_at > now() - interval '10 minutes' GROUP BY timer

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

-- name: traced
-- For trace: what was taken in of a pushed event and of what followed from it, oldest first.
SELECT id, digest, held, taken_at FROM inbox WHERE origin = $1 ORDER BY taken_at, id LIMIT $2

-- name: traced_dead
-- For trace: its dead letters, decided on or not.
SELECT id, topic, partition, log_offset AS offset, reason, detail, event_id, at, state, note FROM dead_letters
WHERE origin = $1 ORDER BY id LIMIT $2

-- name: now
-- The database's clock.
SELECT now()

-- name: append_audit
-- One row at the end of the chain; the trigger numbers and hashes it.
INSERT INTO audit (body) VALUES ($1)

-- name: audit_head_to_say
-- The end of the chain, when it is another than was said last; claimed, so that one replica says it.
UPDATE audit_head SET said = hash WHERE said IS DISTINCT FROM hash AND seq > 0 RETURNING seq, hash, now() AS at

-- name: audit_unsaid
-- Whether the chain has an end that the bus was not told.
SELECT (seq > 0 AND said IS DISTINCT FROM hash)::int FROM audit_head

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

-- name: recovery_under_way
-- Whether what came after a backup is still read again.
SELECT EXISTS (SELECT FROM recovery)

-- name: recovery_remains
-- The partitions that are read again, held, and how many records are still to read.
SELECT count(*) AS partitions, coalesce(sum(greatest(r.until - coalesce(p.next, 0), 0)), 0)::bigint AS records
FROM (SELECT topic, partition, until FROM recovery FOR UPDATE) AS r LEFT JOIN positions p USING (topic, partition)

-- name: recalled_of
-- What this service had said of cases after the backup.
SELECT body FROM recalled WHERE subject = ANY($1::uuid[])

-- name: set_aside
-- Records that are looked at again when the recovery ends.
INSERT INTO recalled (id, subject, body) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])
ON CONFLICT (id) DO NOTHING

-- name: end_recovery
-- All is read and done.
WITH forgotten AS (DELETE FROM recalled) DELETE FROM recovery
