-- name: create_account
-- A new account; none when the name is taken.
INSERT INTO accounts (name, role, region, enterprise, password) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO NOTHING RETURNING name

-- name: account_by_name
-- An account that may act.
SELECT name, role, region, enterprise FROM accounts WHERE name = $1 AND disabled_at IS NULL

-- name: entry_by_name
-- What a login is compared with, disabled accounts too.
SELECT name, role, region, enterprise, password, version, disabled_at IS NOT NULL AS disabled FROM accounts WHERE name = $1

-- name: list_accounts
-- Every account, with how many sessions it has.
SELECT a.name, a.role, a.region, a.enterprise, a.created_at, a.disabled_at,
    (SELECT count(*) FROM sessions s WHERE s.account = a.name AND s.since = a.version) AS sessions
FROM accounts a ORDER BY a.disabled_at IS NOT NULL, a.role, a.name

-- name: lock_accounts_that_matter
-- The account to change, and every admin in force, so that two changes at once cannot end the last one.
SELECT name, role, region, enterprise, disabled_at IS NOT NULL AS disabled FROM accounts
WHERE name = $1 OR (role = 'admin' AND disabled_at IS NULL) ORDER BY name FOR UPDATE

-- name: change_account
-- What an account may do, and whether it stands.
UPDATE accounts SET role = $2, region = $3, enterprise = $4,
    disabled_at = CASE WHEN $5 THEN coalesce(disabled_at, now()) END
WHERE name = $1

-- name: set_password
-- A new password; whatever sessions there are have ended by it.
UPDATE accounts SET password = $2 WHERE name = $1

-- name: open_session
-- A session for the account as it was when its password was compared.
INSERT INTO sessions (key, account, since, address, agent, created_at, used_at) VALUES ($1, $2, $3, $4, $5, now(), now())

-- name: session_by_key
-- A session with its account as it is now, and the time.
SELECT s.key, s.number, s.since, s.address, s.agent, s.created_at, s.used_at, now() AS now,
    a.name, a.role, a.region, a.enterprise, a.version, a.disabled_at IS NOT NULL AS disabled
FROM sessions s JOIN accounts a ON a.name = s.account WHERE s.key = $1

-- name: sessions_of
-- Everywhere an account is logged in, latest used first.
SELECT s.key, s.number, s.since, s.address, s.agent, s.created_at, s.used_at, now() AS now,
    a.name, a.role, a.region, a.enterprise, a.version, a.disabled_at IS NOT NULL AS disabled
FROM sessions s JOIN accounts a ON a.name = s.account WHERE s.account = $1 ORDER BY s.used_at DESC, s.number

-- name: use_session
-- Somebody asked with it.
UPDATE sessions SET used_at = now() WHERE key = $1

-- name: keep_session
-- The one session that goes on after its account's password was changed.
UPDATE sessions s SET since = a.version FROM accounts a WHERE s.key = $1 AND a.name = s.account

-- name: end_session
-- Logged out.
DELETE FROM sessions WHERE key = $1

-- name: end_numbered_session
-- One of one's own.
DELETE FROM sessions WHERE account = $1 AND number = $2 RETURNING number

-- name: end_other_sessions
-- Everywhere but here.
DELETE FROM sessions WHERE account = $1 AND key <> $2

-- name: prune_sessions
-- Those that no longer hold.
DELETE FROM sessions s USING accounts a WHERE a.name = s.account
    AND (s.used_at < now() - $1::interval OR s.created_at < now() - $2::interval OR s.since <> a.version)

-- name: failures_of
-- Failed logins of an account from an address, locked for this attempt, and the time.
INSERT INTO failures (account, address, count, last_at) VALUES ($1, $2, 0, now())
ON CONFLICT (account, address) DO UPDATE SET count = failures.count
RETURNING count, CASE WHEN count > 0 THEN last_at END AS last_at, clock_timestamp() AS now

-- name: set_failures
-- One more.
UPDATE failures SET count = $3, last_at = $4 WHERE account = $1 AND address = $2

-- name: failed_now
-- The delay runs from when it was known that an attempt had failed.
UPDATE failures SET last_at = clock_timestamp() WHERE account = $1 AND address = $2

-- name: forgive_failures
-- The password was right.
DELETE FROM failures WHERE account = $1 AND address = $2

-- name: prune_failures
-- Those that count no longer.
DELETE FROM failures WHERE last_at < now() - $1::interval

-- name: keep_sign_in
-- A login that begins at the provider.
INSERT INTO sign_ins (state, nonce, verifier, next, at) VALUES ($1, $2, $3, $4, now())

-- name: take_sign_in
-- It comes back once, and not late.
DELETE FROM sign_ins WHERE state = $1 AND at > now() - $2::interval RETURNING nonce, verifier, next

-- name: prune_sign_ins
-- Those that never came back.
DELETE FROM sign_ins WHERE at < now() - $1::interval

-- name: keep_evidence
-- A file of a case; the same one again changes nothing.
INSERT INTO evidence (id, case_id, region, enterprise, name, media_type, sha256, size, by, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now()) ON CONFLICT (id) DO NOTHING RETURNING id

-- name: evidence_by_id
-- One file, if it is in sight.
SELECT id, case_id, region, enterprise, name, media_type, sha256, size, by, at FROM evidence WHERE id = $1

-- name: count_evidence
-- How many files a case has.
SELECT count(*) FROM evidence WHERE case_id = $1

-- name: hold_evidence
-- One upload to a case at a time.
SELECT pg_advisory_xact_lock(hashtext('fengsui.console.evidence'), hashtext($1))

-- name: change_password
-- A new password in place of the one that was proved; none when the account has changed meanwhile.
UPDATE accounts SET password = $2 WHERE name = $1 AND version = $3 AND disabled_at IS NULL RETURNING version
