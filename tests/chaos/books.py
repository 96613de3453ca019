"""Books of one alarm that balance: acknowledged, on a case, told to one contact, answered, counted."""

ALARM, STEP, CASE, CAUSE = (f"00000000-0000-5000-8000-00000000000{number}" for number in range(1, 5))
NOTICE, TOLD, MESSAGE, OTHER = (f"00000000-0000-5000-8000-00000000000{number}" for number in range(5, 9))
SAID = '{"data": {"kind": "acknowledged", "case_first": true}}'
WHERE = "'220203', 'petrochemical'"

BALANCED = f"""
INSERT INTO pushed VALUES ('{ALARM}', 'alarm', true, true);
INSERT INTO bus VALUES ('alarms', 0, 0, '{ALARM}', NULL, NULL), ('cases', 0, 0, '{STEP}', '{CASE}', 1),
    ('notifications', 0, 0, '{TOLD}', NULL, NULL);
INSERT INTO received VALUES (0, '{MESSAGE}', '{NOTICE}', 'created', 'taken');

INSERT INTO hazards.inbox (id, digest, held) VALUES ('{ALARM}', 'd', NULL), ('{TOLD}', NULL, NULL);
INSERT INTO hazards.cases (id, cause, version, state, level, title, enterprise, enterprise_name, region, industry,
    opened_at, overdue, tier, occurrences, active)
VALUES ('{CASE}', '{CAUSE}', 1, 'reported', 'red', 't', 'E', 'e', {WHERE}, now(), false, 'county', 1, '{{red}}');
INSERT INTO hazards.timeline (case_id, version, id, at, kind, by, detail, source, pushid, cause)
VALUES ('{CASE}', 1, '{STEP}', now(), 'opened', '//x', '{{}}', '//x', 'a-1', '{ALARM}');

INSERT INTO notify.inbox (id) VALUES ('{STEP}');
INSERT INTO notify.calls (id, case_id, kind, is_alarm, level, title, region, enterprise, industry, occurred_at,
    opened_at, first_created_at, state, tier)
VALUES ('{STEP}', '{CASE}', 'opened', true, 'red', 't', '220203', 'E', 'petrochemical', now(), now(), now(), 'open',
    'county');
INSERT INTO notify.notifications (id, call_id, case_id, region, enterprise, tier, contact, on_duty, state, created_at)
VALUES ('{NOTICE}', '{STEP}', '{CASE}', '220203', 'E', 'county', 'c', true, 'sent', now());
INSERT INTO notify.deliveries (id, notification_id, call_id, place, contact, message, state, tries, due_at, body)
VALUES ('{MESSAGE}', '{NOTICE}', '{STEP}', 0, 'c', 'created', 'delivered', 1, now(), 'b');
INSERT INTO notify.attempts (delivery_id, try, notification_id, message, channel, outcome, detail)
VALUES ('{MESSAGE}', 1, '{NOTICE}', 'created', 'webhook', 'delivered', '204');
INSERT INTO notify.outbox (id, topic, key, body, sent_at) VALUES ('{TOLD}', 'notifications', 'k', '{SAID}', now());

INSERT INTO reporting.inbox (id) VALUES ('{ALARM}'), ('{STEP}'), ('{TOLD}');
INSERT INTO reporting.facts (id, measure, at, day, region, industry, level, grade, enterprise, took) VALUES
    ('{ALARM}', 'alarms', now(), '2026-01-01', {WHERE}, 'red', '', 'E', 0),
    ('{STEP}', 'cases_opened', now(), '2026-01-01', {WHERE}, 'red', '', 'E', 0),
    ('{TOLD}', 'seconds_to_acknowledge', now(), '2026-01-01', {WHERE}, 'red', '', 'E', 5);
INSERT INTO reporting.rollups (measure, day, region, industry, level, grade, enterprise, count, sum, max) VALUES
    ('alarms', '2026-01-01', {WHERE}, 'red', '', 'E', 1, 0, 0),
    ('cases_opened', '2026-01-01', {WHERE}, 'red', '', 'E', 1, 0, 0),
    ('seconds_to_acknowledge', '2026-01-01', {WHERE}, 'red', '', 'E', 1, 5, 5);
INSERT INTO reporting.cases (id, version, state, region, industry, level, grade, enterprise, opened_at, opened_on)
VALUES ('{CASE}', 1, 'reported', {WHERE}, 'red', '', 'E', now(), '2026-01-01');
"""

LETTER = "(topic, partition, log_offset, payload_size, reason, detail) VALUES ('alarms', 0, 7, 1, 'unreadable', 'd')"
MORE = "INSERT INTO received SELECT 1, id, notification, message, how FROM received"
ATTEMPT = "INSERT INTO notify.attempts (delivery_id, try, notification_id, message, channel, outcome, detail)"

WRONG = {
    "bus missing pushed": "DELETE FROM bus WHERE topic = 'alarms'",
    "bus invented pushed": "DELETE FROM pushed",
    "bus missing cases": "DELETE FROM bus WHERE topic = 'cases'",
    "bus invented cases": "DELETE FROM hazards.timeline",
    "bus missing notifications": "DELETE FROM bus WHERE topic = 'notifications'",
    "bus invented notifications": "DELETE FROM notify.outbox",
    "bus disordered cases": f"INSERT INTO bus VALUES ('cases', 0, 1, '{OTHER}', '{CASE}', 3)",
    "ingest missing heartbeats": f"INSERT INTO pushed VALUES ('{OTHER}', 'heartbeat', false, false)",
    "hazards missing verdict": f"DELETE FROM hazards.inbox WHERE id = '{ALARM}'",
    "hazards invented verdict": f"INSERT INTO hazards.inbox (id, digest) VALUES ('{OTHER}', 'd')",
    "hazards missing timeline": "DELETE FROM hazards.timeline",
    "hazards doubled timeline": f"UPDATE hazards.inbox SET held = 'stale' WHERE id = '{ALARM}'",
    "hazards invented timeline": f"UPDATE hazards.timeline SET cause = '{OTHER}'",
    "hazards unequal cases": "UPDATE hazards.cases SET occurrences = 2",
    "hazards missing answers": f"DELETE FROM hazards.inbox WHERE id = '{TOLD}'",
    "notify missing verdict": "DELETE FROM notify.inbox",
    "notify invented verdict": f"INSERT INTO notify.inbox (id) VALUES ('{OTHER}')",
    "notify missing calls": "DELETE FROM notify.calls",
    "notify missing notifications": "DELETE FROM notify.notifications",
    "notify missing messages": "DELETE FROM notify.deliveries",
    "receiver missing created": "DELETE FROM received",
    "receiver missing delivered": "UPDATE received SET how = 'broken'",
    "receiver doubled unmarked": f"{MORE}; {ATTEMPT} "
    f"VALUES ('{MESSAGE}', 2, '{NOTICE}', 'created', 'webhook', 'retry', '500')",
    "receiver doubled messages": f"INSERT INTO received VALUES (1, '{OTHER}', '{NOTICE}', 'created', 'taken')",
    "receiver invented calls": MORE,
    "receiver disordered messages": f"INSERT INTO received VALUES (-1, '{OTHER}', '{NOTICE}', 'ended', 'taken')",
    "reporting missing verdict": f"DELETE FROM reporting.inbox WHERE id = '{STEP}'",
    "reporting missing answers": "DELETE FROM reporting.facts WHERE measure = 'seconds_to_acknowledge'",
    "reporting missing alarms": "DELETE FROM reporting.facts WHERE measure = 'alarms'",
    "reporting invented alarms": "DELETE FROM pushed",
    "reporting missing cases": "DELETE FROM reporting.facts WHERE measure = 'cases_opened'",
    "reporting invented cases": "DELETE FROM hazards.timeline",
    "reporting unequal copies": "UPDATE reporting.cases SET version = 0",
    "reporting unequal rollups": "UPDATE reporting.rollups SET count = 2",
    "all dead letters": f"INSERT INTO hazards.dead_letters {LETTER}",
    "all missing letters": "INSERT INTO rubbish VALUES ('alarms', 0, 7)",
    "all doubled letters": f"INSERT INTO hazards.dead_letters {LETTER}; INSERT INTO hazards.dead_letters {LETTER}",
    "all stopped partitions": "INSERT INTO hazards.positions (topic, partition, next, cluster, topic_id, stopped) "
    f"VALUES ('alarms', 0, 0, 'c', '{OTHER}', 'why')",
    "all missing gaps": "INSERT INTO hazards.gaps (topic, partition, first_lost, count) VALUES ('alarms', 0, 0, 3)",
    "all late work": "UPDATE notify.outbox SET sent_at = NULL",
    "all late rows": "INSERT INTO hazards.stuck_rows (timer, key, reason, again_at) VALUES ('climb', 'k', 'r', now())",
}
"""What goes wrong, by the check that must see it."""

FORBIDDEN_BY_THE_SCHEMA = {"hazards doubled cases", "notify doubled notifications"}
"""Checks of what a unique index refuses: they would speak if a migration dropped it."""
