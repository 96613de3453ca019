-- A person may continue a stopped partition in another log, and have said again what a restored broker lost.

ALTER TABLE positions ADD COLUMN fault text;  -- beside `stopped`: what kind of fault it was (shared/partitions.py)

GRANT UPDATE (next, cluster, topic_id, last_record, fault, moved_at) ON positions TO :service_ask;

GRANT INSERT ON gaps TO :service_ask;
CREATE POLICY skip ON gaps FOR INSERT TO :service_ask
    WITH CHECK ((SELECT seen_enterprise() = '*' AND length(seen_region()) = 2));

GRANT SELECT (seq, id, topic, created_at, sent_at), UPDATE (sent_at) ON outbox TO :service_ask;
CREATE POLICY look ON outbox FOR SELECT TO :service_ask
    USING ((SELECT seen_enterprise() = '*' AND length(seen_region()) = 2));
CREATE POLICY say_again ON outbox FOR UPDATE TO :service_ask
    USING ((SELECT seen_enterprise() = '*' AND length(seen_region()) = 2));
