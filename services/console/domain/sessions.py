"""When a session still speaks for its account, and which address a login may lead back to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.console.domain.accounts import Account

SAVED_EVERY = timedelta(minutes=1)
"""A use is written down at most so often: the idle end is that much blunter, and a page costs no write."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without use, and at all."""

    idle: timedelta
    whole: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the table knows it, with its account as it is now."""

    key: bytes
    """SHA-256 of the id in the cookie."""
    number: int
    account: Account
    since: int
    """The account's version at login."""
    version: int
    """The account's version now: it moves when role, region, password or standing change."""
    disabled: bool
    created_at: datetime
    used_at: datetime
    address: str = ""
    agent: str = ""

    def holds(self, now: datetime, limits: Limits) -> bool:
        """Whether whoever brings the session's id is still its account."""
        same = self.since == self.version and not self.disabled
        return same and now < self.used_at + limits.idle and now < self.created_at + limits.whole

    def unsaved(self, now: datetime) -> bool:
        """Whether this use is to be written down."""
        return now - self.used_at >= SAVED_EVERY


def way_back(asked: str | None) -> str:
    """Where a login leads: a page of ours that was asked for, or the first one; never another site."""
    page = asked or "/"
    ours = page.startswith("/") and not page.startswith(("//", "/\\", "/login", "/logout"))
    return page if ours and page.isprintable() and "\\" not in page and len(page) <= 2000 else "/"
