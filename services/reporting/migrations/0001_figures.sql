-- Facts, the roll-ups that always equal a recount of them, and copies of what others own.

-- Append-only: what happened, once for each event and measure.
CREATE TABLE facts (
    id uuid NOT NULL,                  -- of the event
    measure text NOT NULL,
    at timestamptz NOT NULL,
    day date NOT NULL,                 -- of Asia/Shanghai
    region text NOT NULL,
    industry text NOT NULL,
    level text NOT NULL,
    grade text NOT NULL,               -- empty where there is none
    enterprise text NOT NULL,
    case_id uuid,
    took bigint NOT NULL,              -- microseconds; 0 where the measure is no duration
    PRIMARY KEY (id, measure)
);
CREATE INDEX facts_newest ON facts (measure, at DESC, id DESC);

CREATE TABLE rollups (
    measure text NOT NULL,
    day date NOT NULL,
    region text NOT NULL,
    industry text NOT NULL,
    level text NOT NULL,
    grade text NOT NULL,
    enterprise text NOT NULL,
    count bigint NOT NULL,
    sum bigint NOT NULL,               -- microseconds
    max bigint NOT NULL,               -- microseconds
    PRIMARY KEY (measure, day, region, industry, level, grade, enterprise)
);

CREATE TABLE cases (
    id uuid PRIMARY KEY,
    version integer NOT NULL,
    state text NOT NULL,
    region text NOT NULL,
    industry text NOT NULL,
    level text NOT NULL,
    grade text NOT NULL,
    enterprise text NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_on date NOT NULL,
    due_at timestamptz
);
CREATE INDEX cases_open ON cases (opened_at DESC, id DESC) WHERE state NOT IN ('closed', 'void');

CREATE TABLE enterprises (
    uscc text PRIMARY KEY,
    version integer NOT NULL,
    name text NOT NULL
);

GRANT SELECT, INSERT ON facts TO :service_work;
GRANT SELECT, INSERT, UPDATE ON rollups, cases, enterprises TO :service_work;
GRANT SELECT ON facts, rollups, cases, enterprises TO :service_ask;
