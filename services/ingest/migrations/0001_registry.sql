-- The registry, the keys, and what the alarm engine remembers of each point.

CREATE TABLE enterprises (
    uscc text PRIMARY KEY,
    name text NOT NULL,
    region text NOT NULL,
    industry text NOT NULL,
    address text,
    longitude double precision,
    latitude double precision,
    version integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX enterprises_of_region ON enterprises (region text_pattern_ops, uscc);

CREATE TABLE points (
    uscc text NOT NULL REFERENCES enterprises,
    point text NOT NULL,
    name text NOT NULL,
    risk_unit text,
    quantity text,
    uom text,
    ll double precision,
    l double precision,
    h double precision,
    hh double precision,
    deadband double precision NOT NULL DEFAULT 0,
    on_delay_s double precision NOT NULL DEFAULT 0,
    off_delay_s double precision NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (uscc, point)
);

CREATE TABLE keys (
    prefix text PRIMARY KEY,
    uscc text NOT NULL REFERENCES enterprises,
    name text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    revoked_at timestamptz,
    revoked_by text
);
CREATE INDEX keys_of_enterprise ON keys (uscc);

-- Parallel arrays of up to 256 points: what the engine knows of them, written once a batch.
CREATE TABLE engine_blocks (
    uscc text NOT NULL,
    block integer NOT NULL,
    points text[] NOT NULL,
    last_at bigint[] NOT NULL,
    last_value double precision[] NOT NULL,
    states smallint[] NOT NULL,
    since bigint[] NOT NULL,
    PRIMARY KEY (uscc, block)
) WITH (fillfactor = 50);

-- When each source was last heard, and when it promised to speak again.
CREATE TABLE sources (
    uscc text NOT NULL,
    source text NOT NULL,
    heard_at timestamptz NOT NULL,
    interval_s integer,
    PRIMARY KEY (uscc, source)
);

GRANT SELECT ON enterprises, points TO :service_work;
GRANT SELECT, INSERT, UPDATE ON engine_blocks, sources TO :service_work;
GRANT SELECT, INSERT, UPDATE ON enterprises, points, keys TO :service_ask;
GRANT SELECT ON sources TO :service_ask;
