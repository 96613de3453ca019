-- The staff's accounts; a password is kept as its argon2id hash, and an account that ends is disabled, for its name stands on trails.

CREATE TABLE accounts (
    name text PRIMARY KEY,
    role text NOT NULL,
    region text NOT NULL,
    enterprise text,
    password text NOT NULL CHECK (password LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CHECK ((role = 'enterprise') = (enterprise IS NOT NULL))
);

GRANT SELECT, INSERT, UPDATE ON accounts TO :service_work;
GRANT SELECT ON accounts TO :service_ask;
