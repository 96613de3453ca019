-- Whoever asks sees the rows of their own region and enterprise, said anew in each transaction; else none.
-- Only while the service does not run: the version before does not say who asks, and would see nothing.

-- Codes of regions in sight begin with this; NULL where nobody said, and empty after a transaction in which somebody did.
CREATE FUNCTION seen_region() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('fengsui.region', true), '');

-- The one enterprise in sight, or * for all.
CREATE FUNCTION seen_enterprise() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('fengsui.enterprise', true), '');

-- Work sees every row of a table; whoever asks, and the table's owner is no exception, what the clause says.
-- A table whose rows have no region of their own follows another.
CREATE PROCEDURE bound(name regclass, clause text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY work ON %s TO CURRENT_USER, :service_work USING (true) WITH CHECK (true)', name);
    IF clause IS NOT NULL THEN
        EXECUTE format('CREATE POLICY ask ON %1$s TO :service_ask USING (%2$s) WITH CHECK (%2$s)', name, clause);
    END IF;
END $$;

-- The clauses. Settings stand in sub-selects, to be read once a statement. It is a CASE because the planner takes one
-- to pass half of the rows, which lets it go by the query's own filters; two comparisons it would take to pass hardly any.
CREATE FUNCTION in_sight(region text DEFAULT 'region', enterprise text DEFAULT 'enterprise') RETURNS text
LANGUAGE sql IMMUTABLE RETURN format(
    'CASE (SELECT seen_enterprise()) WHEN ''*'' THEN %1$I ^@ (SELECT seen_region()) '
    'ELSE %2$I = (SELECT seen_enterprise()) AND %1$I ^@ (SELECT seen_region()) END', region, enterprise);

CREATE FUNCTION whole_province() RETURNS text LANGUAGE sql IMMUTABLE
RETURN '(SELECT seen_enterprise() = ''*'' AND length(seen_region()) = 2)';

CREATE FUNCTION anyone() RETURNS text LANGUAGE sql IMMUTABLE RETURN '(SELECT seen_region() IS NOT NULL)';

REVOKE ALL ON PROCEDURE bound FROM PUBLIC;

CALL bound('positions', whole_province());
CALL bound('inbox', whole_province());
CALL bound('dead_letters', whole_province());
CALL bound('gaps', NULL);
CALL bound('outbox', NULL);
CREATE POLICY say ON outbox FOR INSERT TO :service_ask WITH CHECK ((SELECT seen_region() IS NOT NULL));

REVOKE ALL ON gaps, outbox FROM :service_ask;
GRANT INSERT (id, topic, key, body) ON outbox TO :service_ask;
