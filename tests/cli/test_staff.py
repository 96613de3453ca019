"""Accounts are made on the machine of the home, and a token is given only in the name of one that stands."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import orjson
import pytest

from deploy.local import claim
from deploy.local.claim import Part
from deploy.local.postgres import Postgres
from deploy.local.probes import Probe
from shared.access import Staff, Tokens
from shared.vocabulary import Role

USCC = "91220203MA00000015"

pytestmark = pytest.mark.postgres


@pytest.fixture
async def accounts(postgres: Postgres) -> Iterator[Path]:
    """The home of the session's server, declared as a stack, without accounts before and after."""
    part = Part("postgres", postgres.port, Probe("postgres", "127.0.0.1", postgres.port))
    claim.declare(postgres.home, claim.State(1, "ready", 8000, demo=False, parts=[part]))
    yield postgres.home
    (postgres.home / "run" / "stack.state").unlink()
    db = await asyncpg.connect(postgres.dsn("console_work"))
    await db.execute("UPDATE accounts SET disabled_at = now() WHERE disabled_at IS NULL")
    await db.close()


async def test_a_token_speaks_for_the_account_that_was_made(accounts: Path, fengsui):
    made = fengsui(
        "staff", "create", "wang", "--role", "officer", "--region", "220203", "--home", accounts, stdin="12345678\n"
    )
    printed = fengsui("token", "create", "--staff", "wang", "--hours", "1", "--home", accounts)

    staff = await Tokens(str(accounts / "secrets" / "jwks.json")).staff(printed.out.strip())
    assert (made.code, made.out) == (0, "account wang: officer, 220203\n")
    assert (printed.code, printed.out.count("\n")) == (0, 1)
    assert staff == Staff("wang", Role.OFFICER, "220203", None)


async def test_a_password_is_kept_only_as_its_argon2id_hash(accounts: Path, postgres: Postgres, fengsui):
    fengsui("staff", "create", "li", "--role", "admin", "--home", accounts, stdin="correct horse")

    db = await asyncpg.connect(postgres.dsn("console_work"))
    kept = await db.fetchval("SELECT password FROM accounts WHERE name = 'li'")
    await db.close()
    assert kept.startswith("$argon2id$")
    assert "correct horse" not in kept


async def test_who_made_an_account_stands_on_the_audit_trail(accounts: Path, postgres: Postgres, fengsui):
    words = ("staff", "create", "sun", "--role", "officer", "--region", "220203", "--home", accounts)

    for _ in range(2):
        fengsui(*words, stdin="correct horse battery")

    db = await asyncpg.connect(postgres.dsn("console_work"))
    bodies = [row["body"] for row in await db.fetch("SELECT body FROM audit ORDER BY seq")]
    await db.close()
    (body,) = [body for body in map(orjson.loads, bodies) if body["subject"] == "account/sun"]
    assert (body["role"], body["action"], body["region"]) == ("operator", "account_created", "220203")
    assert body["detail"] == {"given": "officer"}
    assert not any("correct horse" in each or "argon2" in each for each in bodies)


async def test_a_name_is_given_once(accounts: Path, fengsui):
    words = ("staff", "create", "zhao", "--role", "admin", "--home", accounts)

    first, again = fengsui(*words, stdin="12345678"), fengsui(*words, stdin="other password")

    assert first.code == 0
    assert (again.code, again.out) == (1, "")
    assert again.err == "there is an account zhao already"


@pytest.mark.parametrize("stdin", ["", "\n", "1234567\n"])
async def test_a_short_password_makes_no_account(accounts: Path, fengsui, stdin: str):
    made = fengsui("staff", "create", "qian", "--role", "admin", "--home", accounts, stdin=stdin)
    token = fengsui("token", "create", "--staff", "qian", "--home", accounts)

    assert (made.code, made.err) == (1, "a password has at least 8 characters")
    assert token.code == 1


async def test_there_is_no_token_for_somebody_unknown_or_disabled(accounts: Path, postgres: Postgres, fengsui):
    fengsui("staff", "create", "sun", "--role", "admin", "--home", accounts, stdin="12345678")
    db = await asyncpg.connect(postgres.dsn("console_work"))
    await db.execute("UPDATE accounts SET disabled_at = now() WHERE name = 'sun'")
    await db.close()

    unknown = fengsui("token", "create", "--staff", "nobody", "--home", accounts)
    disabled = fengsui("token", "create", "--staff", "sun", "--home", accounts)

    assert (unknown.code, unknown.out, disabled.code, disabled.out) == (1, "", 1, "")
    assert "no account nobody" in unknown.err
    assert "no account sun" in disabled.err


async def test_an_enterprise_account_carries_its_code(accounts: Path, fengsui):
    fengsui(
        "staff", "create", "zhou", "--role", "enterprise", "--enterprise", USCC, "--home", accounts, stdin="12345678"
    )
    printed = fengsui("token", "create", "--staff", "zhou", "--home", accounts)

    staff = await Tokens(str(accounts / "secrets" / "jwks.json")).staff(printed.out.strip())
    assert (staff.role, staff.enterprise) == (Role.ENTERPRISE, USCC)


def test_elsewhere_is_no_place_to_make_accounts(tmp_path: Path, fengsui):
    made = fengsui(
        "staff", "create", "wu", "--role", "admin", "--url", "http://a:8000", "--token", "t", stdin="12345678"
    )
    printed = fengsui("token", "create", "--staff", "wu", "--url", "http://a:8000", "--token", "t")

    assert made.code == printed.code == 1
    assert "on the machine of the home" in made.err
    assert "on the machine of the home" in printed.err


def test_without_a_stack_there_are_no_accounts(tmp_path: Path, fengsui):
    printed = fengsui("token", "create", "--staff", "wu", "--home", tmp_path)

    assert (printed.code, printed.out) == (1, "")
    assert "no stack runs in" in printed.err
    assert not (tmp_path / "secrets").exists()
