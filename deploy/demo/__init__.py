"""A province to look at: fictional enterprises with known faults and a real machine that fails."""

from deploy.demo.logins import logins, make_accounts
from deploy.demo.seed import curl_line, seed

__all__ = ["curl_line", "logins", "make_accounts", "seed"]
