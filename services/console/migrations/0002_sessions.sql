-- Sessions, failed logins, logins under way at a provider, evidence; and who may see which rows of the console.

-- A session holds for one version of its account: whatever changes what the account may do ends its sessions.
ALTER TABLE accounts ADD COLUMN version integer NOT NULL DEFAULT 1;

CREATE FUNCTION next_account_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.role, NEW.region, NEW.enterprise, NEW.password, NEW.disabled_at)
        IS DISTINCT FROM (OLD.role, OLD.region, OLD.enterprise, OLD.password, OLD.disabled_at) THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_version BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION next_account_version();

CREATE TABLE sessions (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),  -- SHA-256 of the id, which only the browser has
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,     -- its name in the list of one's sessions
    account text NOT NULL REFERENCES accounts,
    since integer NOT NULL,                                -- the account's version at login
    address text NOT NULL,
    agent text NOT NULL CHECK (length(agent) <= 200),
    created_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL
);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_used ON sessions (used_at);

-- Every replica hears that sessions may have ended, and cuts the streams of those that did.
CREATE FUNCTION tell_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fengsui_sessions', '');
    RETURN NULL;
END $$;
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION tell_sessions();
CREATE TRIGGER accounts_changed AFTER UPDATE ON accounts FOR EACH ROW
    WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION tell_sessions();

CREATE TABLE failures (
    account text NOT NULL,                                 -- as given; empty for what cannot be a name
    address text NOT NULL,
    count integer NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (account, address)
);
CREATE INDEX failures_last ON failures (last_at);

CREATE TABLE sign_ins (
    state bytea PRIMARY KEY CHECK (octet_length(state) = 32),  -- SHA-256 of the state, which the browser has
    nonce text NOT NULL,
    verifier text NOT NULL,                                -- of PKCE
    next text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX sign_ins_at ON sign_ins (at);

CREATE TABLE evidence (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    region text NOT NULL,
    enterprise text NOT NULL,
    name text NOT NULL CHECK (octet_length(name) <= 255),
    media_type text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size bigint NOT NULL CHECK (size > 0),
    by text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX evidence_case ON evidence (case_id);

GRANT SELECT, DELETE ON sessions, failures, sign_ins TO :service_work;
REVOKE ALL ON accounts FROM :service_ask;
GRANT SELECT, INSERT, UPDATE (password, role, region, enterprise, disabled_at) ON accounts TO :service_ask;
GRANT SELECT, INSERT, DELETE, UPDATE (used_at, since) ON sessions TO :service_ask;
GRANT SELECT, INSERT, DELETE, UPDATE (count, last_at) ON failures TO :service_ask;
GRANT SELECT, INSERT, DELETE ON sign_ins TO :service_ask;
GRANT SELECT, INSERT ON evidence TO :service_ask;

-- Accounts and sessions are looked at before it is known who asks, and by admins of the province: whole sight only.
DO $$
DECLARE
    name text;
    whole constant text := $p$(SELECT length(current_setting('fengsui.region', true)) = 2
                               AND current_setting('fengsui.enterprise', true) = '*')$p$;
    sight constant text := $p$(SELECT current_setting('fengsui.region', true) <> '')
        AND region LIKE (SELECT current_setting('fengsui.region', true)) || '%'
        AND ((SELECT current_setting('fengsui.enterprise', true)) IN ('*', enterprise))$p$;
BEGIN
    FOREACH name IN ARRAY ARRAY['accounts', 'sessions', 'failures', 'sign_ins', 'evidence'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY everything ON %I TO :service_owner, :service_work USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY sight ON %I TO :service_ask USING (%s) WITH CHECK (%s)', name,
            CASE name WHEN 'evidence' THEN sight ELSE whole END, CASE name WHEN 'evidence' THEN sight ELSE whole END);
    END LOOP;
END $$;
