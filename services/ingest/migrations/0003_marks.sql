-- A new mark whenever a point of the enterprise changes: what the engine knows by heart holds as long as it stands.
-- At random, so that one that was rolled back never comes again.

ALTER TABLE enterprises ADD COLUMN points_mark uuid NOT NULL DEFAULT gen_random_uuid();
GRANT UPDATE (points_mark) ON enterprises TO :service_ask;
