-- Whoever changes points renews the mark, a person at psql too: no statement can forget it, and none has to say it.

CREATE FUNCTION renew_points_mark() RETURNS trigger LANGUAGE plpgsql
SET search_path = :service, pg_temp AS $$
BEGIN
    UPDATE enterprises SET points_mark = gen_random_uuid() WHERE uscc IN (SELECT uscc FROM changed);
    RETURN NULL;
END $$;
CREATE TRIGGER points_added AFTER INSERT ON points REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION renew_points_mark();
CREATE TRIGGER points_changed AFTER UPDATE ON points REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION renew_points_mark();
CREATE TRIGGER points_removed AFTER DELETE ON points REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION renew_points_mark();
