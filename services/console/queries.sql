-- name: create_account
-- A new account; none when the name is taken.
INSERT INTO accounts (name, role, region, enterprise, password) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO NOTHING RETURNING name

-- name: account_by_name
-- An account that may act.
SELECT name, role, region, enterprise FROM accounts WHERE name = $1 AND disabled_at IS NULL
