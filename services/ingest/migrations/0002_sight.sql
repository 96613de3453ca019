-- Enterprises by their region; their points, keys and sources with them.

CALL bound('enterprises', in_sight(enterprise => 'uscc'));
CALL bound('points', 'EXISTS (SELECT FROM enterprises e WHERE e.uscc = points.uscc)');
CALL bound('keys', 'EXISTS (SELECT FROM enterprises e WHERE e.uscc = keys.uscc)');
CALL bound('sources', 'EXISTS (SELECT FROM enterprises e WHERE e.uscc = sources.uscc)');
CALL bound('engine_blocks', NULL);

REVOKE ALL ON enterprises, points, keys FROM :service_ask;
GRANT SELECT, INSERT, UPDATE (name, region, industry, address, longitude, latitude, version, changed_at)
    ON enterprises TO :service_ask;
GRANT SELECT, INSERT, UPDATE (name, risk_unit, quantity, uom, ll, l, h, hh, deadband, on_delay_s, off_delay_s, version,
    changed_at) ON points TO :service_ask;
GRANT SELECT, INSERT (prefix, uscc, name, hash, created_by), UPDATE (revoked_at, revoked_by) ON keys TO :service_ask;
