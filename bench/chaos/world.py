"""Who lives in the stack: enterprises with points and keys, people on duty with webhooks, and short patience."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg

from deploy.tokens import mint
from shared.codes import uscc_check_character

COUNTIES: Final = ("220203", "220204", "220281")
ABOVE: Final = ("220200", "220000")
SECRET: Final = "whsec_" + "c2VjcmV0IG9mIHRoZSBmYXVsdCB0ZXN0IQ=="
ALARMED, MEASURED = 30, 6
LIMITS: Final = {"ll": -5.0, "l": 5.0, "h": 90.0, "hh": 100.0, "deadband": 2.0}
# What takes minutes and hours in earnest takes seconds here, so that every timer is at work while things break.
SHORT_PATIENCE: Final = """
UPDATE notify.routes SET ack_within = '20 seconds';
UPDATE hazards.case_policies SET unanswered = '10 seconds' WHERE level = 'yellow';
INSERT INTO hazards.deadline_periods VALUES ('confirm', 'red', '15 seconds', '15 seconds')
ON CONFLICT (stage, what) DO UPDATE SET within = excluded.within, climb = excluded.climb;
"""


@dataclass(frozen=True)
class Enterprise:
    """One that pushes."""

    uscc: str
    region: str
    key: str
    points: tuple[str, ...]
    """Of which it says itself when they are in alarm."""
    measured: tuple[str, ...]
    """Whose readings it pushes, and our engine judges."""


def uscc(number: int) -> str:
    """The credit code of the nth enterprise."""
    body = f"91220203MA{number:07}"
    return body + uscc_check_character(body)


async def settle(
    session: aiohttp.ClientSession,
    home: Path,
    urls: dict[str, str],
    admin_dsn: str,
    receiver: int,
    count: int,
    patience: str = SHORT_PATIENCE,
) -> list[Enterprise]:
    """Registers all of it through the services' own doors; only the patience is set in the database."""
    headers = {"Authorization": f"Bearer {mint(home, 'chaos', 'admin', '220000', 24)}"}

    async def post(service: str, path: str, body: str | dict[str, str]) -> Any:
        text = isinstance(body, str)
        given: dict[str, Any] = {"data": body.encode()} if isinstance(body, str) else {"json": body}
        more = headers | ({"Content-Type": "text/csv"} if text else {})
        async with session.post(urls[service] + path, headers=more, **given) as answer:
            if answer.status not in (200, 201):
                raise RuntimeError(f"{service} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    db = await asyncpg.connect(admin_dsn)
    try:
        await db.execute(patience or "SELECT")
    finally:
        await db.close()
    await post("notify", "/v1/contacts/import", _contacts(receiver))
    await post("notify", "/v1/rosters/import", _rosters(datetime.now(UTC)))  # noqa: TID251 (who sets up has a clock)
    codes = [uscc(number) for number in range(1, count + 1)]
    regions = [COUNTIES[number % len(COUNTIES)] for number in range(count)]
    rows = [
        f"{code},企业{number},{region},petrochemical"
        for number, (code, region) in enumerate(zip(codes, regions, strict=True))
    ]
    await post("ingest", "/v1/enterprises/import", "\n".join(["uscc,name,region,industry", *rows]) + "\n")
    points = tuple(f"P-{number}" for number in range(ALARMED))
    measured = tuple(f"M-{number}" for number in range(MEASURED))
    await post("ingest", "/v1/points/import", _points(codes, points, measured))
    keys = await asyncio.gather(*(post("ingest", "/v1/keys", {"enterprise": code, "name": "chaos"}) for code in codes))
    return [
        Enterprise(code, region, key["key"], points, measured)
        for code, region, key in zip(codes, regions, keys, strict=True)
    ]


def _points(codes: Sequence[str], points: Sequence[str], measured: Sequence[str]) -> str:
    limits = ",".join(map(str, LIMITS.values()))
    lines = [f"uscc,point,name,{','.join(LIMITS)}"]
    for code in codes:
        lines += [f"{code},{point},{point}" + "," * len(LIMITS) for point in points]
        lines += [f"{code},{point},{point},{limits}" for point in measured]
    return "\n".join(lines) + "\n"


def _contacts(port: int) -> str:
    lines = ["contact,name,region,role,webhook,webhook_secret"]
    for region in (*COUNTIES, *ABOVE):
        name = f"{region}-officer"
        lines.append(f"{name},值班员{region},{region},officer,http://127.0.0.1:{port}/{name},{SECRET}")
    lines.append(f"desk,平台,220000,system,http://127.0.0.1:{port}/desk,{SECRET}")
    return "\n".join(lines) + "\n"


def _rosters(now: datetime) -> str:
    start, end = (now - timedelta(days=2)).isoformat(), (now + timedelta(days=5)).isoformat()
    lines = ["roster,region,contact,start,end,position"]
    lines += [f"r-{region},{region},{region}-officer,{start},{end},primary" for region in (*COUNTIES, *ABOVE)]
    return "\n".join(lines) + "\n"
