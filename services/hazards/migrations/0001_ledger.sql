-- Cases, their timeline, the alarm board, and the periods and policies that are data.

CREATE TABLE cases (
    id uuid PRIMARY KEY,
    cause uuid NOT NULL,
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('reported', 'confirmed', 'rectifying', 'rectified', 'closed', 'void')),
    grade text CHECK (grade IN ('general', 'major')),
    level text NOT NULL CHECK (level IN ('red', 'orange', 'yellow', 'blue')),
    title text NOT NULL,
    enterprise text NOT NULL,
    enterprise_name text NOT NULL,
    region text NOT NULL,
    industry text NOT NULL,
    point text,
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    overdue boolean NOT NULL,
    tier text NOT NULL,
    occurrences integer NOT NULL,
    active text[] NOT NULL,
    next_check_at timestamptz,
    responsible text,
    measures text,
    money text,
    plan text,
    submitted_by text,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX one_open_case_per_cause ON cases (cause) WHERE state NOT IN ('closed', 'void');
CREATE INDEX cases_newest ON cases (opened_at DESC, id DESC);
CREATE INDEX cases_of_region ON cases (region text_pattern_ops, opened_at DESC, id DESC);
CREATE INDEX cases_of_enterprise ON cases (enterprise, opened_at DESC, id DESC);
CREATE INDEX cases_due ON cases (next_check_at) WHERE next_check_at IS NOT NULL;

-- Append-only: every step of every case, and every event that touched one, exactly once.
CREATE TABLE timeline (
    case_id uuid NOT NULL,
    version integer NOT NULL,
    id uuid NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    by text NOT NULL,
    detail jsonb NOT NULL,
    source text,
    pushid text,
    cause uuid,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (case_id, version)
);
CREATE UNIQUE INDEX timeline_cause ON timeline (cause) WHERE cause IS NOT NULL;

CREATE TABLE alarms (
    enterprise text NOT NULL,
    point text NOT NULL,
    level text NOT NULL,
    region text NOT NULL,
    industry text NOT NULL,
    enterprise_name text NOT NULL,
    state text NOT NULL CHECK (state IN ('raised', 'cleared')),
    value double precision,
    "limit" double precision,
    message text,
    raised_at timestamptz,
    cleared_at timestamptz,
    occurrences integer NOT NULL,
    case_id uuid,
    acknowledged_at timestamptz,
    acknowledged_by text,
    unanswered_at timestamptz,
    said_at timestamptz,                -- last said to be in alarm: an end that is older must not silence it
    PRIMARY KEY (enterprise, point, level)
);
CREATE INDEX alarms_of_case ON alarms (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX alarms_unanswered ON alarms (unanswered_at) WHERE unanswered_at IS NOT NULL;

-- Periods that differ from the code's defaults; stage is confirm (by level) or rectify (by grade).
CREATE TABLE deadline_periods (
    stage text NOT NULL CHECK (stage IN ('confirm', 'rectify')),
    what text NOT NULL,
    within interval NOT NULL,
    climb interval NOT NULL,
    PRIMARY KEY (stage, what)
);

-- When a yellow or blue alarm opens a case. Thirty minutes for yellow is the project's own choice; no source was found.
CREATE TABLE case_policies (
    level text PRIMARY KEY CHECK (level IN ('yellow', 'blue')),
    repeats integer CHECK (repeats > 0),
    unanswered interval
);
INSERT INTO case_policies (level, repeats, unanswered) VALUES ('yellow', NULL, '30 minutes'), ('blue', NULL, NULL);

GRANT SELECT, INSERT, UPDATE ON cases, alarms TO :service_work;
GRANT SELECT, INSERT ON timeline TO :service_work;
GRANT SELECT ON deadline_periods, case_policies TO :service_work, :service_ask;
GRANT SELECT, INSERT, UPDATE ON cases TO :service_ask;
GRANT SELECT, INSERT ON timeline TO :service_ask;
GRANT SELECT ON alarms TO :service_ask;
