"""Somebody with a role visits the desk: in a word, what a page says to them."""

import re
from html import unescape

import httpx

from tests.console.replica import Replica


async def visit(
    desk: Replica, role: str, region: str | None = "220000", enterprise: str | None = None
) -> httpx.AsyncClient:
    """A browser in which an account of that role and region has logged in."""
    name = f"{role}-{enterprise or region}"
    rows = await desk.sql("SELECT FROM accounts WHERE name = $1", name)
    if not rows:
        await desk.account(name, role, region, enterprise)
    return await desk.inside(name)


async def read(browser: httpx.AsyncClient, path: str, status: int = 200, block: str | None = None) -> str:
    """A page's source, or that of one of its blocks."""
    headers = {"HX-Request": "true", "HX-Target": block} if block else {}
    answer = await browser.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.text


def words(source: str) -> str:
    """What a person reads of a page, or of a part of it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", source)).split())


def rows(source: str) -> list[str]:
    """What a person reads of each row of its tables."""
    return [words(row) for row in re.findall(r"<tr.*?</tr>", source, re.S)]
