-- After a restore: until this service has read again what came after its backup, it takes no step of its own.

-- How far each partition must be read; no row in ordinary times.
CREATE TABLE recovery (
    topic text NOT NULL,
    partition integer NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- What this service had said after the backup, as the bus still has it.
CREATE TABLE recalled (
    id uuid PRIMARY KEY,               -- of the event
    subject uuid,                      -- the case
    version integer,                   -- of the case, where the event tells it
    own boolean NOT NULL DEFAULT true, -- no push is behind it
    body bytea NOT NULL
);
CREATE INDEX recalled_of_subject ON recalled (subject, version);
CREATE INDEX recalled_first ON recalled (version) WHERE version = 1 AND own;

GRANT SELECT, UPDATE, DELETE ON recovery TO :service_work;
GRANT SELECT, INSERT, DELETE ON recalled TO :service_work;
GRANT SELECT ON recovery TO :service_ask;

CALL bound('recovery', anyone());
CALL bound('recalled', NULL);
