-- What every service needs to consume and to speak without losing or doubling anything.

CREATE TABLE positions (
    topic text NOT NULL,
    partition integer NOT NULL,
    next bigint NOT NULL,              -- the offset that is read next
    cluster text NOT NULL,             -- the log that the offset counts in: its cluster …
    topic_id uuid NOT NULL,            -- … and the topic's own id, new when a topic is made again
    last_record bytea,                 -- fingerprint of the record before `next`
    stopped text,                      -- why a person must look before it goes on
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

-- The verdict on every event that reached this service: done, or held with the reason.
CREATE TABLE inbox (
    id uuid PRIMARY KEY,
    digest bytea,
    origin uuid,                       -- a name of (source, id) as pushed, for reconcile
    held text,
    taken_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_origin ON inbox (origin) WHERE origin IS NOT NULL;

CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    topic text NOT NULL,
    key text NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 4000000),
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    key bytea,
    payload bytea,                     -- at most 1 MiB of it; bytea, for text cannot hold every byte
    payload_size integer NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    event_id uuid,
    origin uuid,
    at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'replayed', 'discarded')),
    resolved_at timestamptz,
    resolved_by text,
    note text
);
CREATE INDEX dead_letters_waiting ON dead_letters (id) WHERE state = 'waiting';
CREATE INDEX dead_letters_origin ON dead_letters (origin) WHERE origin IS NOT NULL;

-- Records that retention ate before they were read cannot come back; here is how many.
CREATE TABLE gaps (
    topic text NOT NULL,
    partition integer NOT NULL,
    first_lost bigint NOT NULL,
    count bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE ON positions TO :service_work;
GRANT SELECT, INSERT, UPDATE ON inbox TO :service_work;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO :service_work;
GRANT SELECT, INSERT, UPDATE ON dead_letters TO :service_work;
GRANT SELECT, INSERT ON gaps TO :service_work;

GRANT SELECT, UPDATE (stopped) ON positions TO :service_ask;
GRANT SELECT ON inbox, gaps TO :service_ask;
GRANT SELECT, INSERT ON outbox TO :service_ask;
GRANT SELECT, UPDATE (state, resolved_at, resolved_by, note) ON dead_letters TO :service_ask;
