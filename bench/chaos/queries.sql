-- name: prepare
-- What was acknowledged, what stands on the bus and what the receiver took, beside the services' tables.
SET work_mem = '128MB';
SET jit = off;
CREATE TEMP TABLE pushed (id uuid NOT NULL, kind text NOT NULL, raised bool NOT NULL, serious bool NOT NULL);
CREATE TEMP TABLE bus (
    topic text NOT NULL, partition int NOT NULL, log_offset bigint NOT NULL, id uuid NOT NULL, aggregate uuid, version int
);
CREATE TEMP TABLE rubbish (topic text NOT NULL, partition int NOT NULL, log_offset bigint NOT NULL);
CREATE TEMP TABLE received (seq bigint NOT NULL, id uuid NOT NULL, notification uuid NOT NULL, message text NOT NULL,
    how text NOT NULL);

-- name: index
-- Once they are filled.
CREATE TEMP VIEW letters AS
    SELECT 'ingest' AS service, topic, partition, log_offset, reason, detail FROM ingest.dead_letters
    UNION ALL SELECT 'hazards', topic, partition, log_offset, reason, detail FROM hazards.dead_letters
    UNION ALL SELECT 'notify', topic, partition, log_offset, reason, detail FROM notify.dead_letters
    UNION ALL SELECT 'reporting', topic, partition, log_offset, reason, detail FROM reporting.dead_letters;
CREATE TEMP VIEW said AS
    SELECT id, body #>> '{data,kind}' AS kind, (body #>> '{data,case_first}')::bool AS case_first
    FROM (SELECT id, convert_from(body, 'UTF8')::jsonb AS body FROM notify.outbox WHERE topic = 'notifications') AS o;
CREATE INDEX ON pushed (id);
CREATE INDEX ON bus (id);
CREATE INDEX ON received (id);
ANALYZE pushed; ANALYZE bus; ANALYZE received

-- name: counts
-- How much there was to compare.
SELECT (SELECT count(*) FROM pushed) AS acknowledged,
    (SELECT count(*) FROM pushed WHERE kind = 'engine') AS engine_alarms,
    (SELECT count(*) FROM bus) AS records_on_bus,
    (SELECT count(*) FROM bus) - (SELECT count(*) FROM (SELECT DISTINCT topic, id FROM bus) AS d) AS repeated_on_bus,
    (SELECT count(*) FROM rubbish) AS rubbish, (SELECT count(*) FROM letters) AS dead_letters,
    (SELECT count(*) FROM hazards.cases) AS cases,
    (SELECT count(*) FROM hazards.timeline) AS timeline,
    (SELECT count(*) FROM notify.calls) AS calls,
    (SELECT count(*) FROM notify.notifications WHERE contact IS NOT NULL) AS notifications,
    (SELECT count(*) FROM notify.deliveries WHERE state = 'delivered') AS delivered,
    (SELECT count(*) FROM received) AS calls_received,
    (SELECT count(*) FROM received WHERE how = 'taken') AS taken,
    (SELECT count(*) FROM notify.attempts WHERE outcome = 'repeated') AS attempts_repeated,
    (SELECT count(*) FROM reporting.facts) AS facts,
    (SELECT count(*) FROM reporting.rollups) AS rollups

-- name: unsettled
-- What is still under way or soon due, apart from what waits on the bus.
SELECT * FROM (VALUES
    ('ingest.outbox', (SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL)),
    ('hazards.outbox', (SELECT count(*) FROM hazards.outbox WHERE sent_at IS NULL)),
    ('notify.outbox', (SELECT count(*) FROM notify.outbox WHERE sent_at IS NULL)),
    ('reporting.outbox', (SELECT count(*) FROM reporting.outbox WHERE sent_at IS NULL)),
    ('deadlines', (SELECT count(*) FROM hazards.cases
        WHERE next_check_at < now() + interval '1 minute' AND state NOT IN ('closed', 'void'))),
    ('unanswered alarms', (SELECT count(*) FROM hazards.alarms
        WHERE unanswered_at < now() + interval '1 minute' AND state = 'raised' AND acknowledged_at IS NULL)),
    ('calls', (SELECT count(*) FROM notify.calls WHERE next_step_at < now() + interval '1 minute')),
    ('deliveries', (SELECT count(*) FROM notify.deliveries WHERE state IN ('waiting', 'behind', 'sending')))
) AS left_over(stage, n) WHERE n > 0

-- name: positions
-- How far each service has read.
SELECT 'ingest' AS service, topic, partition, next, stopped FROM ingest.positions
UNION ALL SELECT 'hazards', topic, partition, next, stopped FROM hazards.positions
UNION ALL SELECT 'notify', topic, partition, next, stopped FROM notify.positions
UNION ALL SELECT 'reporting', topic, partition, next, stopped FROM reporting.positions

-- name: sessions
-- Who works on the database for us.
SELECT pid, application_name FROM pg_stat_activity WHERE usename LIKE '%\_work' ORDER BY application_name, pid

-- name: cut_half
-- About half of those sessions end.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '%\_work' AND hashint4(pid + $1) % 2 = 0

-- name: bus__missing__pushed
-- Acknowledged, and not on the bus.
SELECT p.kind || ' ' || p.id FROM pushed p WHERE NOT EXISTS (SELECT FROM bus b WHERE b.id = p.id)

-- name: bus__invented__pushed
-- On the bus as pushed, or as an alarm of the engine, and nobody pushed it or no reading raises it.
SELECT DISTINCT b.topic || ' ' || b.id FROM bus b
WHERE b.topic IN ('alarms', 'reports', 'readings') AND NOT EXISTS (SELECT FROM pushed p WHERE p.id = b.id)

-- name: bus__missing__cases
-- A step of a case that was never said.
SELECT t.kind || ' ' || t.id FROM hazards.timeline t
WHERE NOT EXISTS (SELECT FROM bus b WHERE b.id = t.id AND b.topic = 'cases')

-- name: bus__invented__cases
-- A step of a case that was said and does not stand on its timeline.
SELECT DISTINCT b.id::text FROM bus b
WHERE b.topic = 'cases' AND NOT EXISTS (SELECT FROM hazards.timeline t WHERE t.id = b.id)

-- name: bus__missing__notifications
-- A step of a notification that was never said.
SELECT o.id::text FROM notify.outbox o
WHERE o.topic = 'notifications' AND NOT EXISTS (SELECT FROM bus b WHERE b.id = o.id AND b.topic = 'notifications')

-- name: bus__invented__notifications
-- A step of a notification that was said and not decided.
SELECT DISTINCT b.id::text FROM bus b
WHERE b.topic = 'notifications' AND NOT EXISTS (SELECT FROM notify.outbox o WHERE o.id = b.id)

-- name: bus__disordered__cases
-- The steps of a case that first came in another order than they were made.
WITH first AS (
    SELECT DISTINCT ON (id) id, aggregate, version, partition, log_offset FROM bus
    WHERE topic = 'cases' ORDER BY id, log_offset
), steps AS (
    SELECT aggregate, version, lag(version, 1, 0) OVER (PARTITION BY aggregate ORDER BY log_offset) AS before FROM first
)
SELECT aggregate || ' version ' || version || ' after ' || before FROM steps WHERE version <> before + 1

-- name: ingest__missing__heartbeats
-- A sign of life without a verdict.
SELECT p.id::text FROM pushed p WHERE p.kind = 'heartbeat' AND NOT EXISTS (SELECT FROM ingest.inbox i WHERE i.id = p.id)

-- name: hazards__missing__verdict
-- Acknowledged, and without a verdict.
SELECT p.kind || ' ' || p.id FROM pushed p
WHERE p.kind <> 'heartbeat' AND NOT EXISTS (SELECT FROM hazards.inbox i WHERE i.id = p.id)

-- name: hazards__invented__verdict
-- A verdict on what nobody pushed.
SELECT i.id::text FROM hazards.inbox i
WHERE i.digest IS NOT NULL AND NOT EXISTS (SELECT FROM pushed p WHERE p.id = i.id)

-- name: hazards__missing__timeline
-- Without a row on a timeline, though it is done or must have one.
SELECT p.kind || ' ' || p.id FROM pushed p LEFT JOIN hazards.inbox i USING (id)
WHERE p.kind <> 'heartbeat' AND (p.serious OR (i.id IS NOT NULL AND i.held IS NULL))
  AND NOT EXISTS (SELECT FROM hazards.timeline t WHERE t.cause = p.id)

-- name: hazards__doubled__timeline
-- More than one row on timelines, or one though it is held.
SELECT t.cause::text FROM hazards.timeline t JOIN hazards.inbox i ON i.id = t.cause
GROUP BY t.cause HAVING count(*) > 1 OR bool_or(i.held IS NOT NULL)

-- name: hazards__invented__timeline
-- A row on a timeline whose cause nobody pushed and no timer made.
SELECT t.cause::text FROM hazards.timeline t
WHERE t.cause IS NOT NULL AND t.source IS NOT NULL AND NOT EXISTS (SELECT FROM pushed p WHERE p.id = t.cause)

-- name: hazards__doubled__cases
-- Two open cases of one cause.
SELECT cause::text FROM hazards.cases WHERE state NOT IN ('closed', 'void') GROUP BY cause HAVING count(*) > 1

-- name: hazards__unequal__cases
-- A case that is not the sum of its timeline.
SELECT c.id || ' version ' || c.version || ' of ' || count(t.id) || ' rows, occurrences ' || c.occurrences
FROM hazards.cases c LEFT JOIN hazards.timeline t ON t.case_id = c.id GROUP BY c.id
HAVING c.version <> count(t.id) OR c.version <> max(t.version)
    OR c.occurrences <> count(*) FILTER (WHERE t.kind IN ('opened', 'repeated', 'worsened'))

-- name: hazards__missing__answers
-- Somebody answered, and the alarms of the case do not know.
SELECT s.id::text FROM said s
WHERE s.kind = 'acknowledged' AND NOT EXISTS (SELECT FROM hazards.inbox i WHERE i.id = s.id)

-- name: notify__missing__verdict
-- A step of a case without a verdict.
SELECT t.kind || ' ' || t.id FROM hazards.timeline t WHERE NOT EXISTS (SELECT FROM notify.inbox i WHERE i.id = t.id)

-- name: notify__invented__verdict
-- A verdict on a step that does not stand on a timeline.
SELECT i.id::text FROM notify.inbox i WHERE NOT EXISTS (SELECT FROM hazards.timeline t WHERE t.id = i.id)

-- name: notify__missing__calls
-- Somebody must be told of it, and nobody is called.
SELECT t.kind || ' ' || t.id FROM hazards.timeline t
WHERE t.kind IN ('opened', 'worsened', 'overdue', 'escalated')
  AND NOT EXISTS (SELECT FROM notify.calls c WHERE c.id = t.id)

-- name: notify__missing__notifications
-- A call without a notification.
SELECT c.id::text FROM notify.calls c WHERE NOT EXISTS (SELECT FROM notify.notifications n WHERE n.call_id = c.id)

-- name: notify__doubled__notifications
-- Two notifications of one call to one contact.
SELECT call_id || ' ' || contact FROM notify.notifications
WHERE contact IS NOT NULL GROUP BY call_id, contact HAVING count(*) > 1

-- name: notify__missing__messages
-- A notification that nothing carries to its contact.
SELECT n.id::text FROM notify.notifications n
WHERE n.contact IS NOT NULL
  AND NOT EXISTS (SELECT FROM notify.deliveries d WHERE d.notification_id = n.id AND d.message = 'created')

-- name: receiver__missing__created
-- The receiver never took the first message of a notification that nobody withdrew.
SELECT d.id::text FROM notify.deliveries d
WHERE d.message = 'created' AND d.state <> 'withdrawn'
  AND NOT EXISTS (SELECT FROM received r WHERE r.id = d.id AND r.how = 'taken')

-- name: receiver__missing__delivered
-- Delivered by the books, and the receiver never took it.
SELECT d.message || ' ' || d.id FROM notify.deliveries d
WHERE d.state = 'delivered' AND NOT EXISTS (SELECT FROM received r WHERE r.id = d.id AND r.how = 'taken')

-- name: receiver__doubled__unmarked
-- Taken more than once, without as many attempts that are marked as repeated or had no answer.
WITH taken AS (
    SELECT id, count(*) AS n FROM received WHERE how = 'taken' GROUP BY id HAVING count(*) > 1
)
SELECT t.id || ' taken ' || t.n || ' times' FROM taken t
LEFT JOIN notify.attempts a ON a.delivery_id = t.id
GROUP BY t.id, t.n
HAVING t.n - 1 > count(*) FILTER (WHERE a.outcome = 'repeated' OR (a.outcome = 'retry' AND a.detail LIKE 'no answer%'))

-- name: receiver__doubled__messages
-- Two webhook-ids for one notification and type.
SELECT notification || ' ' || message FROM received GROUP BY notification, message HAVING count(DISTINCT id) > 1

-- name: receiver__invented__calls
-- More calls of a message than attempts on record: one was made and left no trace.
SELECT r.id || ' called ' || count(*) || ' times' FROM received r
GROUP BY r.id HAVING count(*) > (SELECT count(*) FROM notify.attempts a WHERE a.delivery_id = r.id)

-- name: receiver__disordered__messages
-- Another message of a notification was taken before its first.
WITH first AS (
    SELECT notification, min(seq) FILTER (WHERE message = 'created') AS created, min(seq) AS any_message
    FROM received WHERE how = 'taken' GROUP BY notification
)
SELECT notification::text FROM first WHERE created IS DISTINCT FROM any_message

-- name: reporting__missing__verdict
-- Said on the bus, and without a verdict.
SELECT DISTINCT b.topic || ' ' || b.id FROM bus b
WHERE b.topic NOT IN ('readings', 'notifications') AND NOT EXISTS (SELECT FROM reporting.inbox i WHERE i.id = b.id)

-- name: reporting__missing__answers
-- A case was answered for the first time, and that is not counted.
SELECT s.id::text FROM said s WHERE s.kind = 'acknowledged' AND s.case_first
  AND NOT EXISTS (SELECT FROM reporting.facts f WHERE f.id = s.id AND f.measure = 'seconds_to_acknowledge')

-- name: reporting__missing__alarms
-- A raised alarm that is not counted.
SELECT p.id::text FROM pushed p
WHERE p.raised AND NOT EXISTS (SELECT FROM reporting.facts f WHERE f.id = p.id AND f.measure = 'alarms')

-- name: reporting__invented__alarms
-- An alarm is counted that nobody raised.
SELECT f.id::text FROM reporting.facts f
WHERE f.measure = 'alarms' AND NOT EXISTS (SELECT FROM pushed p WHERE p.id = f.id AND p.raised)

-- name: reporting__missing__cases
-- A case was opened and is not counted.
SELECT t.id::text FROM hazards.timeline t
WHERE t.kind = 'opened' AND NOT EXISTS (SELECT FROM reporting.facts f WHERE f.id = t.id AND f.measure = 'cases_opened')

-- name: reporting__invented__cases
-- A case is counted that was not opened.
SELECT f.id::text FROM reporting.facts f
WHERE f.measure = 'cases_opened' AND NOT EXISTS (SELECT FROM hazards.timeline t WHERE t.id = f.id AND t.kind = 'opened')

-- name: reporting__unequal__copies
-- A case that stands otherwise in the copy.
SELECT c.id || ' version ' || coalesce(r.version, 0) || ' of ' || c.version
FROM hazards.cases c LEFT JOIN reporting.cases r USING (id)
WHERE (r.version, r.state, r.level) IS DISTINCT FROM (c.version, c.state, c.level)

-- name: reporting__unequal__rollups
-- A roll-up that is not a recount of its facts.
WITH recounted AS (
    SELECT measure, day, region, industry, level, grade, enterprise,
        count(*) AS count, sum(took)::bigint AS sum, max(took) AS max
    FROM reporting.facts GROUP BY measure, day, region, industry, level, grade, enterprise
)
SELECT concat_ws(' ', measure, day, region, level, enterprise, r.count, 'instead of', n.count)
FROM reporting.rollups r FULL JOIN recounted n USING (measure, day, region, industry, level, grade, enterprise)
WHERE (r.count, r.sum, r.max) IS DISTINCT FROM (n.count, n.sum, n.max)

-- name: all__missing__letters
-- Rubbish that a service heard, and put nowhere.
SELECT h.service || ' ' || r.topic || '/' || r.partition || ' ' || r.log_offset
FROM rubbish r JOIN (VALUES ('hazards', 'alarms'), ('hazards', 'reports'), ('notify', 'cases'), ('reporting', 'alarms'),
    ('reporting', 'reports'), ('reporting', 'cases')) AS h(service, topic) USING (topic)
WHERE NOT EXISTS (
    SELECT FROM letters l WHERE (l.service, l.topic, l.partition, l.log_offset) = (h.service, r.topic, r.partition, r.log_offset)
)

-- name: all__doubled__letters
-- Two dead letters of one record.
SELECT service || ' ' || topic || '/' || partition || ' ' || log_offset FROM letters
GROUP BY service, topic, partition, log_offset HAVING count(*) > 1

-- name: all__dead__letters
-- Dead letters of what a door took, or a service said.
SELECT service || ' ' || topic || ' ' || reason || ' ' || detail FROM letters l
WHERE NOT EXISTS (
    SELECT FROM rubbish r WHERE (r.topic, r.partition, r.log_offset) = (l.topic, l.partition, l.log_offset)
)

-- name: all__stopped__partitions
-- Partitions that wait for a person.
SELECT 'ingest ' || topic || '/' || partition || ' ' || stopped FROM ingest.positions WHERE stopped IS NOT NULL
UNION ALL SELECT 'hazards ' || topic || '/' || partition || ' ' || stopped FROM hazards.positions WHERE stopped IS NOT NULL
UNION ALL SELECT 'notify ' || topic || '/' || partition || ' ' || stopped FROM notify.positions WHERE stopped IS NOT NULL
UNION ALL SELECT 'reporting ' || topic || '/' || partition || ' ' || stopped FROM reporting.positions WHERE stopped IS NOT NULL

-- name: all__missing__gaps
-- Records that went before they were read.
SELECT 'ingest ' || topic || '/' || partition || ' ' || count FROM ingest.gaps
UNION ALL SELECT 'hazards ' || topic || '/' || partition || ' ' || count FROM hazards.gaps
UNION ALL SELECT 'notify ' || topic || '/' || partition || ' ' || count FROM notify.gaps
UNION ALL SELECT 'reporting ' || topic || '/' || partition || ' ' || count FROM reporting.gaps

-- name: all__late__work
-- What never came to rest.
SELECT 'ingest outbox ' || id FROM ingest.outbox WHERE sent_at IS NULL
UNION ALL SELECT 'hazards outbox ' || id FROM hazards.outbox WHERE sent_at IS NULL
UNION ALL SELECT 'notify outbox ' || id FROM notify.outbox WHERE sent_at IS NULL
UNION ALL SELECT 'delivery ' || state || ' ' || id FROM notify.deliveries WHERE state IN ('waiting', 'behind', 'sending', 'failed')

-- name: all__late__rows
-- What fell due and whose step fails by its own fault.
SELECT 'ingest ' || timer || ' ' || key || ' ' || reason FROM ingest.stuck_rows
UNION ALL SELECT 'hazards ' || timer || ' ' || key || ' ' || reason FROM hazards.stuck_rows
UNION ALL SELECT 'notify ' || timer || ' ' || key || ' ' || reason FROM notify.stuck_rows
UNION ALL SELECT 'reporting ' || timer || ' ' || key || ' ' || reason FROM reporting.stuck_rows
