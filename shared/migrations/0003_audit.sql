-- Who changed what: rows that can only be added, each with the hash of the one before it.

CREATE TABLE audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    said bytea                         -- the hash that was said on the bus last
);
INSERT INTO audit_head (seq, hash) VALUES (0, sha256(convert_to('fengsui audit of :service', 'UTF8')));

CREATE TABLE audit (
    seq bigint PRIMARY KEY,
    prev bytea NOT NULL,
    hash bytea NOT NULL,               -- sha256(prev || int8send(seq) || body)
    body text NOT NULL CHECK (octet_length(body) <= 65536),
    -- for questions; made of the body, so that they cannot say anything else
    at text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'at') STORED,
    actor text GENERATED ALWAYS AS (body::jsonb ->> 'actor') STORED,
    action text GENERATED ALWAYS AS (body::jsonb ->> 'action') STORED
);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);

CREATE FUNCTION append_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = :service, pg_temp AS $$
BEGIN
    SELECT head.seq + 1, head.hash INTO STRICT NEW.seq, NEW.prev FROM audit_head head FOR UPDATE;
    NEW.hash = sha256(NEW.prev || int8send(NEW.seq) || convert_to(NEW.body, 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION append_audit() FROM PUBLIC;
CREATE TRIGGER append BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION append_audit();

GRANT SELECT, INSERT (body) ON audit TO :service_work, :service_ask;
GRANT SELECT, UPDATE (said) ON audit_head TO :service_work;
GRANT SELECT ON audit_head TO :service_ask;

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
CREATE POLICY work ON audit TO :service_work USING (true) WITH CHECK (true);
CREATE POLICY ask_append ON audit FOR INSERT TO :service_ask WITH CHECK (true);
CREATE POLICY ask_read ON audit FOR SELECT TO :service_ask USING ((SELECT seen_enterprise() = '*' AND length(seen_region()) = 2));

ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON audit_head TO :service_owner USING (true) WITH CHECK (true);
CREATE POLICY work ON audit_head TO :service_work USING (true) WITH CHECK (true);
CREATE POLICY ask_read ON audit_head FOR SELECT TO :service_ask USING ((SELECT seen_enterprise() = '*' AND length(seen_region()) = 2));
