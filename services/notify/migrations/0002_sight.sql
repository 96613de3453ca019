-- Calls and notifications by region and enterprise, what was sent with them; contacts and rosters by region.

CALL bound('calls', in_sight());
CALL bound('notifications', in_sight());
CALL bound('deliveries', 'EXISTS (SELECT FROM notifications n WHERE n.id = deliveries.notification_id)');
CALL bound('attempts', 'EXISTS (SELECT FROM notifications n WHERE n.id = attempts.notification_id)');
CALL bound('cases', 'EXISTS (SELECT FROM calls c WHERE c.case_id = cases.id)');
CALL bound('contacts', '(SELECT seen_enterprise()) = ''*'' AND region ^@ (SELECT seen_region())');
CALL bound('rosters', '(SELECT seen_enterprise()) = ''*'' AND region ^@ (SELECT seen_region())');
CALL bound('routes', whole_province());

-- A call climbs: whoever it concerns may know who answers at the tiers above. An enterprise, who answers for its county.
CREATE FUNCTION is_above(region text) RETURNS boolean LANGUAGE sql STABLE
RETURN seen_region() ^@ regexp_replace(region, '(00)+$', '');
CREATE POLICY above ON contacts FOR SELECT TO :service_ask USING (is_above(region));
CREATE POLICY above ON rosters FOR SELECT TO :service_ask USING (is_above(region));
CREATE POLICY read ON routes FOR SELECT TO :service_ask USING ((SELECT seen_region() IS NOT NULL));

-- A contact and a roster have one name in the whole province: that it is taken must be told, and nothing else of it.
CREATE FUNCTION taken_contacts(contacts text[]) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = :service, pg_temp
AS 'SELECT c.contact FROM contacts c WHERE c.contact = ANY(contacts)';
CREATE FUNCTION taken_shifts(rosters text[], contacts text[], starts timestamptz[])
RETURNS TABLE (roster text, contact text, starts_at timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = :service, pg_temp
AS 'SELECT r.roster, r.contact, r.starts_at FROM rosters r
    JOIN unnest(rosters, contacts, starts) AS g(roster, contact, starts_at) USING (roster, contact, starts_at)';
REVOKE ALL ON FUNCTION taken_contacts, taken_shifts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION taken_contacts, taken_shifts TO :service_ask;

DROP INDEX calls_of_case;
CREATE INDEX calls_of_case ON calls (case_id);

REVOKE ALL ON cases, calls, notifications, deliveries, contacts, rosters, routes FROM :service_ask;
GRANT SELECT, UPDATE (answered_at) ON cases TO :service_ask;
GRANT SELECT, UPDATE (state, tier, next_step_at, answered_at, answered_by, over_at) ON calls TO :service_ask;
GRANT SELECT, UPDATE (tier, on_duty, state, acknowledged_at, acknowledged_by, ended_at) ON notifications TO :service_ask;
GRANT SELECT, INSERT, UPDATE (state, due_at) ON deliveries TO :service_ask;
GRANT SELECT, INSERT, UPDATE (name, region, role, staff, phone, email, webhook, secret, earlier_secret,
    secret_changed_at, changed_at) ON contacts TO :service_ask;
GRANT SELECT, INSERT, UPDATE (region, ends_at, position, changed_at) ON rosters TO :service_ask;
GRANT SELECT, INSERT, DELETE ON routes TO :service_ask;
