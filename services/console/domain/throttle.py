"""How long a guesser waits: by account and address together, so that nobody locks out somebody else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

FREE = 5
"""Failures without a delay (ours)."""
LONGEST = timedelta(seconds=60)
FORGOTTEN = timedelta(minutes=15)
"""Quiet time after which failures no longer count (ours)."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed logins of one account from one address, one after the other."""

    count: int = 0
    last_at: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long until the next attempt is heard; zero when it is heard now."""
        if self.last_at is None or self.count < FREE or now - self.last_at >= FORGOTTEN:
            return timedelta(0)
        delay = min(LONGEST, timedelta(seconds=2.0 ** min(self.count - FREE, 10)))
        return max(timedelta(0), self.last_at + delay - now)

    def failed(self, now: datetime) -> "Failures":
        """After one more; an attempt counts as failed until it succeeds, so that many at once are no way around."""
        forgotten = self.last_at is None or now - self.last_at >= FORGOTTEN
        return Failures(1 if forgotten else self.count + 1, now)


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 line is given."""
    try:
        given = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(given, IPv6Address):
        if given.ipv4_mapped:
            return str(given.ipv4_mapped)
        return f"{IPv6Address(int(given) >> 64 << 64)}/64"
    return str(given)
