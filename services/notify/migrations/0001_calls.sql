-- Contacts, rosters and routes, and all that was told: calls, notifications, deliveries, attempts.

CREATE TABLE contacts (
    contact text PRIMARY KEY,
    name text NOT NULL,
    region text NOT NULL,
    role text NOT NULL CHECK (role IN ('officer', 'leader', 'system')),
    staff text,
    phone text,
    email text,
    webhook text,
    secret bytea,                      -- sealed: the key lies outside the database
    earlier_secret bytea,              -- signs beside the new one for a day after a change
    secret_changed_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contacts_systems ON contacts (region) WHERE role = 'system';

CREATE TABLE rosters (
    roster text NOT NULL,
    region text NOT NULL,
    contact text NOT NULL REFERENCES contacts,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (starts_at < ends_at),
    position text NOT NULL CHECK (position IN ('primary', 'backup')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (roster, contact, starts_at)
);
CREATE INDEX rosters_of_region ON rosters (region, ends_at);

-- How long each tier has to answer. All the project's own choice, unverified.
CREATE TABLE routes (
    level text NOT NULL CHECK (level IN ('red', 'orange', 'yellow', 'blue')),
    tier text NOT NULL CHECK (tier IN ('county', 'city', 'province')),
    ack_within interval NOT NULL CHECK (ack_within > '0'),
    PRIMARY KEY (level, tier)
);
INSERT INTO routes (level, tier, ack_within) VALUES
    ('red', 'county', '5 minutes'), ('red', 'city', '10 minutes'), ('red', 'province', '10 minutes'),
    ('orange', 'county', '10 minutes'), ('orange', 'city', '20 minutes'),
    ('yellow', 'county', '30 minutes'),
    ('blue', 'county', '2 hours');

-- A case's row is held by whoever decides about its calls.
CREATE TABLE cases (
    id uuid PRIMARY KEY,
    first_created_at timestamptz NOT NULL,
    answered_at timestamptz
);

CREATE TABLE calls (
    id uuid PRIMARY KEY,               -- of the case's event that called
    case_id uuid NOT NULL,
    kind text NOT NULL,
    is_alarm boolean NOT NULL,
    level text NOT NULL,
    title text NOT NULL,
    region text NOT NULL,
    enterprise text NOT NULL,
    industry text NOT NULL,
    point text,
    source text,
    pushid text,
    occurred_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    first_created_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'answered', 'exhausted', 'ended')),
    tier text NOT NULL,
    next_step_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    over_at timestamptz
);
CREATE INDEX calls_of_case ON calls (case_id) WHERE state <> 'ended';
CREATE INDEX calls_due ON calls (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX calls_exhausted ON calls (id) WHERE state = 'exhausted';

CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    case_id uuid NOT NULL,
    region text NOT NULL,
    enterprise text NOT NULL,
    tier text NOT NULL,
    contact text,
    on_duty boolean NOT NULL,
    state text NOT NULL
        CHECK (state IN ('pending', 'sent', 'acknowledged', 'escalated', 'held', 'failed', 'withdrawn')),
    reason text,
    created_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at timestamptz
);
CREATE UNIQUE INDEX one_notification_per_contact ON notifications (call_id, contact) WHERE contact IS NOT NULL;
CREATE UNIQUE INDEX one_held_per_tier ON notifications (call_id, tier) WHERE contact IS NULL;
CREATE INDEX notifications_newest ON notifications (created_at DESC, id DESC);
CREATE INDEX notifications_of_region ON notifications (region text_pattern_ops, created_at DESC, id DESC);
CREATE INDEX notifications_of_case ON notifications (case_id, created_at DESC);
CREATE INDEX notifications_of_contact ON notifications (contact, created_at DESC);

-- One message of a notification on its way to its contact; its id is the webhook-id.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    notification_id uuid NOT NULL,
    call_id uuid NOT NULL,
    place integer NOT NULL,            -- among the messages of its notification
    contact text NOT NULL,
    message text NOT NULL CHECK (message IN ('created', 'escalated', 'acknowledged', 'ended')),
    state text NOT NULL CHECK (state IN ('waiting', 'behind', 'sending', 'delivered', 'failed', 'withdrawn')),
    tries integer NOT NULL,
    due_at timestamptz NOT NULL,       -- while sending: when the lease ends
    body bytea NOT NULL,               -- as decided; every attempt carries the same
    UNIQUE (notification_id, message)
);
CREATE INDEX deliveries_of_call ON deliveries (call_id);
CREATE INDEX deliveries_due ON deliveries (contact, due_at, id) WHERE state IN ('waiting', 'sending');

-- Every call of a channel; outcome repeated: nobody knows how it ended, so the message was sent again.
CREATE TABLE attempts (
    delivery_id uuid NOT NULL,
    try integer NOT NULL,
    notification_id uuid NOT NULL,
    message text NOT NULL,
    channel text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'retry', 'failed', 'repeated')),
    detail text NOT NULL,
    PRIMARY KEY (delivery_id, try)
);
CREATE INDEX attempts_of_notification ON attempts (notification_id, at);

GRANT SELECT, INSERT, UPDATE ON cases, calls, notifications, deliveries TO :service_work;
GRANT SELECT, INSERT ON attempts TO :service_work;
GRANT SELECT ON contacts, rosters, routes TO :service_work;
GRANT SELECT, UPDATE ON cases, calls, notifications TO :service_ask;
GRANT SELECT, INSERT, UPDATE ON deliveries TO :service_ask;
GRANT SELECT ON attempts TO :service_ask;
GRANT SELECT, INSERT, UPDATE ON contacts, rosters TO :service_ask;
GRANT SELECT, INSERT, UPDATE, DELETE ON routes TO :service_ask;
