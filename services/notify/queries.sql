-- name: now
-- Due is what the database's clock says.
SELECT now()

-- name: remember_cases
-- The cases that are told of; one that is known stays as it is.
INSERT INTO cases (id, first_created_at) SELECT id, now() FROM unnest($1::uuid[]) AS g(id) ORDER BY id
ON CONFLICT (id) DO NOTHING

-- name: lock_cases
-- What is remembered of cases, held for this transaction.
SELECT * FROM cases WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- name: answer_cases
-- Cases that somebody answered for the first time.
UPDATE cases SET answered_at = now() WHERE id = ANY($1::uuid[]) AND answered_at IS NULL

-- name: lock_calls_of_cases
-- The calls of some cases that are not ended, held for this transaction.
SELECT * FROM calls WHERE case_id = ANY($1::uuid[]) AND state <> 'ended' ORDER BY id FOR UPDATE

-- name: calls_of_case
-- All calls of a case in sight, oldest first.
SELECT id FROM calls WHERE case_id = $1 AND region ^@ $2 AND ($3::text IS NULL OR enterprise = $3) ORDER BY opened_at, id

-- name: lock_calls
-- Some calls, held for this transaction.
SELECT * FROM calls WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- name: take_due_calls
-- Calls whose tier has had its time, each by one replica only.
SELECT * FROM calls WHERE next_step_at <= now()
  AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'escalate' AND key = id::text AND again_at > now())
ORDER BY next_step_at LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: notifications_of_calls
-- The notifications of some calls, in no order: an ORDER BY would invite the index by time, and read all there are.
-- Who decides about them holds the rows of the calls.
SELECT * FROM notifications WHERE call_id = ANY($1::uuid[])

-- name: lock_deliveries
-- The deliveries of calls, held against the sender, which takes only what nobody holds.
SELECT * FROM deliveries WHERE call_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- name: add_calls
-- New calls; one that stands there already is an error, for its effect would be doubled.
INSERT INTO calls (id, case_id, kind, is_alarm, level, title, region, enterprise, industry, point, source, pushid,
    occurred_at, opened_at, first_created_at, state, tier, next_step_at, answered_at, answered_by, over_at, traceparent)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bool[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
    $16::text[], $17::text[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::timestamptz[],
    $22::text[])

-- name: save_calls
-- How calls stand now; whoever saves holds their rows.
UPDATE calls c SET state = g.state, tier = g.tier, next_step_at = g.next_step_at, answered_at = g.answered_at,
    answered_by = g.answered_by, over_at = g.over_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::timestamptz[])
    AS g(id, state, tier, next_step_at, answered_at, answered_by, over_at)
WHERE c.id = g.id

-- name: add_notifications
-- New notifications.
INSERT INTO notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state, reason, created_at,
    acknowledged_at, acknowledged_by, ended_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[])

-- name: save_notifications
-- How notifications stand now.
UPDATE notifications n SET tier = g.tier, on_duty = g.on_duty, state = g.state, acknowledged_at = g.acknowledged_at,
    acknowledged_by = g.acknowledged_by, ended_at = g.ended_at
FROM unnest($1::uuid[], $2::text[], $3::bool[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[])
    AS g(id, tier, on_duty, state, acknowledged_at, acknowledged_by, ended_at)
WHERE n.id = g.id

-- name: add_deliveries
-- New messages on their way.
INSERT INTO deliveries (id, notification_id, call_id, place, contact, message, state, tries, due_at, body)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::int[],
    $9::timestamptz[], $10::bytea[])

-- name: save_deliveries
-- How messages stand now; whoever saves holds their rows.
UPDATE deliveries d SET state = g.state, due_at = g.due_at
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS g(id, state, due_at) WHERE d.id = g.id

-- name: claim_deliveries
-- What is due, at most $1 of it: nothing of the contacts $2, one message of each of the contacts $3, $4 of any other.
-- A lease that ran out is a call of which nobody knows the end.
WITH RECURSIVE waiting AS (  -- each contact with a message on its way, by skips through the index: however many wait
    (SELECT contact FROM deliveries WHERE state IN ('waiting', 'sending') AND NOT EXISTS (SELECT FROM recovery)
        ORDER BY contact LIMIT 1)
    UNION ALL
    SELECT (SELECT d.contact FROM deliveries d WHERE d.state IN ('waiting', 'sending') AND d.contact > w.contact
        ORDER BY d.contact LIMIT 1)
    FROM waiting w WHERE w.contact IS NOT NULL
), first AS (
    SELECT own.id FROM waiting w CROSS JOIN LATERAL (
        SELECT id, due_at FROM deliveries d
        WHERE d.contact = w.contact AND state IN ('waiting', 'sending') AND due_at <= now()
        ORDER BY due_at, id LIMIT least($1, CASE WHEN w.contact = ANY($3::text[]) THEN 1 ELSE $4::int END)
    ) AS own
    WHERE w.contact <> ALL($2::text[]) ORDER BY own.due_at, own.id LIMIT 2 * $1
), taken AS (  -- by their ids: coalesce hides the state from deliveries_due, all of which would be read instead
    SELECT d.id, d.state, d.tries FROM deliveries d
    WHERE d.id = ANY(ARRAY(SELECT id FROM first)) AND coalesce(d.state, '') IN ('waiting', 'sending')
        AND d.due_at <= now()
    ORDER BY d.due_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE deliveries d SET state = 'sending', tries = d.tries + 1, due_at = now() + interval '30 seconds'
    FROM taken t WHERE d.id = t.id
    RETURNING d.id, d.notification_id, d.call_id, d.contact, d.message, d.tries, d.body, t.state = 'sending' AS lost
), marked AS (
    INSERT INTO attempts (delivery_id, try, notification_id, message, channel, outcome, detail)
    SELECT id, tries - 1, notification_id, message, 'webhook', 'repeated',
        'nobody knows how this attempt ended; the message was sent again'
    FROM claimed WHERE lost ON CONFLICT DO NOTHING  -- a person may have let the tries begin anew
)
SELECT claimed.*, c.webhook, c.secret,
    CASE WHEN c.secret_changed_at > now() - interval '1 day' THEN c.earlier_secret END AS earlier_secret,
    (SELECT traceparent FROM calls WHERE id = claimed.call_id) AS traceparent,
    EXISTS (SELECT FROM told WHERE delivery_id = claimed.id) AS told
FROM claimed JOIN contacts c USING (contact)

-- name: count_waiting
-- What is on its way, the calls that nobody answers, and the seconds that the oldest notification waits to arrive and
-- the oldest due call to climb. Of more than 2,000 messages on their way some are looked at: they are all late then.
SELECT (SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'sending')) AS deliveries,
    (SELECT count(*) FROM calls WHERE state = 'exhausted') AS unanswered,
    coalesce(extract(epoch FROM now() - (SELECT min(pending.created_at) FROM (
        SELECT (SELECT created_at FROM notifications n WHERE n.id = d.notification_id AND n.state = 'pending')
        FROM deliveries d WHERE state IN ('waiting', 'sending') AND message = 'created' LIMIT 2000
    ) AS pending(created_at))), 0)::float8 AS pending_s,
    coalesce(extract(epoch FROM now() - (
        SELECT next_step_at FROM calls WHERE next_step_at <= now()
            AND NOT EXISTS (SELECT FROM stuck_rows WHERE timer = 'escalate' AND key = id::text)
        ORDER BY next_step_at LIMIT 1
    )), 0)::float8 AS late_s

-- name: put_off_delivery
-- A message whose answer cannot be kept: a minute after its first attempt, twice as long after each other, up to an hour.
UPDATE deliveries SET due_at = now() + interval '1 minute' * least(60, 2 ^ least($2::int - 1, 6))
WHERE id = $1 AND state = 'sending' AND tries = $2::int

-- name: add_attempts
-- What channels answered.
INSERT INTO attempts (delivery_id, try, notification_id, message, channel, outcome, detail)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])

-- name: attempts_of
-- All attempts of some notifications, oldest first.
SELECT * FROM attempts WHERE notification_id = ANY($1::uuid[]) ORDER BY notification_id, at, try

-- name: shifts
-- Who is on the rosters of some regions at a moment; first the few shifts, never all that a contact ever had.
WITH r AS MATERIALIZED (
    SELECT * FROM rosters WHERE region = ANY($1::text[]) AND ends_at > $2 AND starts_at <= $2
)
SELECT r.region, r.contact, r.position, r.starts_at, r.ends_at, c.name, c.region AS home, c.role,
    c.webhook IS NOT NULL AS reachable
FROM r JOIN contacts c USING (contact)
ORDER BY r.region, r.position = 'primary' DESC, r.starts_at, r.contact

-- name: coming_shifts
-- Who is on the rosters of some regions from a moment until another.
WITH r AS MATERIALIZED (
    SELECT * FROM rosters WHERE region = ANY($1::text[]) AND ends_at > $2 AND starts_at < $3
)
SELECT r.region, r.contact, r.position, r.starts_at, r.ends_at, c.name, c.region AS home, c.role,
    c.webhook IS NOT NULL AS reachable
FROM r JOIN contacts c USING (contact)
ORDER BY r.region, r.starts_at, r.position = 'primary' DESC, r.contact

-- name: changes_of_duty
-- When the duty of regions changes next after a moment.
SELECT region, min(at) AS at FROM (
    SELECT region, CASE WHEN starts_at > $2 THEN starts_at ELSE ends_at END AS at FROM rosters
    WHERE region = ANY($1::text[]) AND ends_at > $2
) AS turns GROUP BY region ORDER BY region

-- name: rostered
-- Those of some regions that a roster ever named.
SELECT g.region FROM unnest($1::text[]) AS g(region) WHERE EXISTS (SELECT FROM rosters r WHERE r.region = g.region)

-- name: systems
-- The machines that are told everything.
SELECT contact, name, region AS home, role, webhook IS NOT NULL AS reachable FROM contacts WHERE role = 'system'

-- name: routes
-- How long each tier has to answer.
SELECT level, tier, ack_within FROM routes

-- name: forget_routes
-- All routes, before others take their place.
DELETE FROM routes

-- name: add_routes
-- New routes.
INSERT INTO routes (level, tier, ack_within) SELECT * FROM unnest($1::text[], $2::text[], $3::interval[])

-- name: notification_by_id
-- One notification.
SELECT * FROM notifications WHERE id = $1

-- name: list_notifications
-- A page of notifications in sight, newest first.
SELECT * FROM notifications
WHERE region ^@ $1 AND ($2::text IS NULL OR enterprise = $2)
  AND ($3::text[] IS NULL OR state = ANY($3)) AND ($4::uuid IS NULL OR case_id = $4)
  AND ($5::text IS NULL OR region ^@ $5) AND ($6::text IS NULL OR contact = $6)
  AND ($7::timestamptz IS NULL OR created_at >= $7)
  AND ($8::timestamptz IS NULL OR (created_at, id) < ($8, $9::uuid))
ORDER BY created_at DESC, id DESC LIMIT $10

-- name: calls_by_id
-- Some calls.
SELECT * FROM calls WHERE id = ANY($1::uuid[])

-- name: hold_registry
-- One import at a time.
SELECT pg_advisory_xact_lock(hashtext('fengsui.notify.registry'))

-- name: contacts_named
-- Contacts by name.
SELECT * FROM contacts WHERE contact = ANY($1::text[])

-- name: taken_contacts
-- Which of these names a contact has, in sight or not.
SELECT taken_contacts($1::text[]) AS contact

-- name: save_contacts
-- Contacts as a file has them; a secret that gives way goes on signing beside the new one.
INSERT INTO contacts (contact, name, region, role, staff, phone, email, webhook, secret)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bytea[])
ON CONFLICT (contact) DO UPDATE SET name = excluded.name, region = excluded.region, role = excluded.role,
    staff = excluded.staff, phone = excluded.phone, email = excluded.email, webhook = excluded.webhook,
    secret = excluded.secret,
    earlier_secret = CASE WHEN contacts.secret IS DISTINCT FROM excluded.secret THEN contacts.secret
        ELSE contacts.earlier_secret END,
    secret_changed_at = CASE WHEN contacts.secret IS DISTINCT FROM excluded.secret THEN now()
        ELSE contacts.secret_changed_at END,
    changed_at = now()

-- name: list_contacts
-- A page of contacts in sight, by name.
SELECT * FROM contacts
WHERE region ^@ $1 AND ($2::text IS NULL OR region ^@ $2) AND ($3::text IS NULL OR contact > $3)
ORDER BY contact LIMIT $4

-- name: shifts_named
-- Shifts by roster, contact and start.
SELECT r.* FROM rosters r JOIN unnest($1::text[], $2::text[], $3::timestamptz[]) AS g(roster, contact, starts_at)
    USING (roster, contact, starts_at)

-- name: taken_shifts
-- Which of these shifts stand on a roster, in sight or not.
SELECT roster, contact, starts_at FROM taken_shifts($1::text[], $2::text[], $3::timestamptz[])

-- name: save_shifts
-- Shifts as a file has them.
INSERT INTO rosters (roster, region, contact, starts_at, ends_at, position)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[])
ON CONFLICT (roster, contact, starts_at) DO UPDATE SET region = excluded.region, ends_at = excluded.ends_at,
    position = excluded.position, changed_at = now()

-- name: list_shifts
-- A page of shifts in sight that end after a moment, earliest first.
SELECT * FROM rosters
WHERE region ^@ $1 AND ($2::text IS NULL OR region ^@ $2) AND ($3::text IS NULL OR contact = $3)
  AND ($4::timestamptz IS NULL OR ends_at > $4)
  AND ($5::timestamptz IS NULL OR (starts_at, roster, contact) > ($5, $6::text, $7::text))
ORDER BY starts_at, roster, contact LIMIT $8

-- name: called
-- For reconcile: the calls of each pushed event, and those of one enterprise that are one too many.
SELECT g.ord, count(c.id) AS calls, count(c.id) - count(DISTINCT c.enterprise) AS doubled
FROM unnest($1::uuid[]) WITH ORDINALITY AS g(origin, ord)
JOIN inbox i ON i.origin = g.origin JOIN calls c ON c.id = i.id GROUP BY g.ord

-- name: take_recalled
-- After a restore: a part of what this service had said, taken out case by case.
DELETE FROM recalled WHERE id IN (SELECT id FROM recalled ORDER BY subject, id LIMIT $1) RETURNING body

-- name: add_told
-- Messages that had arrived before the restore.
INSERT INTO told (delivery_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING

-- name: correct_cases
-- When cases were first told of and first answered, as it was before the restore.
UPDATE cases c SET first_created_at = least(c.first_created_at, g.first_created_at),
    answered_at = least(c.answered_at, g.answered_at)
FROM (
    SELECT id, min(first_created_at) AS first_created_at, min(answered_at) AS answered_at
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS e(id, first_created_at, answered_at) GROUP BY id
) AS g WHERE c.id = g.id

-- name: forget_messages
-- Messages that came to their end so long ago, with their attempts; the notification stays.
WITH old AS (
    SELECT id FROM deliveries WHERE state IN ('delivered', 'failed', 'withdrawn') AND due_at < now() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED
), attempted AS (
    DELETE FROM attempts a USING old WHERE a.delivery_id = old.id
), told_of AS (
    DELETE FROM told t USING old WHERE t.delivery_id = old.id
)
DELETE FROM deliveries d USING old WHERE d.id = old.id
