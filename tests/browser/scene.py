"""An enterprise, an alarm, a hazard, a comment and a contact whose every text is an attack on whoever shows it."""

import csv
import io
from dataclasses import dataclass
from typing import Any, Final

from tests.stack import Stack, alarm, hazard, until, uscc

REGION: Final = "220723"
OWN: Final = uscc(9600)
IMAGE: Final = "<img src=x onerror=alert(1)>"
QUOTED: Final = "'\"><svg/onload=alert(1)>"
BRACES: Final = "{{7*7}}"
RARE: Final = "𠮷龘㐂"
FORMULA: Final = '=HYPERLINK("http://example.invalid/")'
TURNED: Final = "turned \u202e round"
NAME: Final = f"{RARE}{IMAGE}{BRACES}厂"
POINT: Final = f"{QUOTED}{RARE}"
MESSAGE: Final = f"{IMAGE} {TURNED} {BRACES} {FORMULA}"
TITLE: Final = f"{RARE} {IMAGE} {QUOTED} {TURNED} {BRACES} {FORMULA}"
COMMENT: Final = f"{FORMULA}\n{IMAGE}\n{TURNED} {BRACES}"
CONTACT: Final = f"{IMAGE}{BRACES}{RARE}"


@dataclass(frozen=True)
class Scene:
    """Ids of what was played."""

    alarm_case: str
    hazard_case: str


def table(*rows: tuple[str, ...]) -> str:
    """A registry file."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


async def played(stack: Stack) -> Scene:
    """Pushes it all through the doors, and waits until it is there."""
    await stack.upload(
        "ingest",
        "/v1/enterprises/import",
        table(
            ("uscc", "name", "region", "industry", "longitude", "latitude"),
            (OWN, NAME, REGION, "petrochemical", "124.0", "45.0"),
        ),
    )
    await stack.upload("ingest", "/v1/points/import", table(("uscc", "point", "name"), (OWN, POINT, IMAGE)))
    _, made = await stack.send("ingest", "/v1/keys", {"enterprise": OWN, "name": "scene"})
    await stack.upload(
        "notify",
        "/v1/contacts/import",
        table(("contact", "name", "region", "role"), ("scene", CONTACT, REGION, "officer")),
    )
    await stack.upload(
        "notify",
        "/v1/rosters/import",
        table(
            ("roster", "region", "contact", "start", "end", "position"),
            (BRACES, REGION, "scene", "2026-01-01T00:00:00+08:00", "2099-01-01T00:00:00+08:00", "primary"),
        ),
    )
    beat = {"specversion": "1.0", "id": "scene-beat", "source": "//test/scene", "type": "fengsui.heartbeat.v1"}
    status, _ = await stack.push(
        alarm("scene-alarm", POINT, data={"message": MESSAGE, "value": 26.5, "limit": 20}),
        hazard("scene-hazard", TITLE, data={"description": MESSAGE}),
        {**beat, "data": {"interval_s": 3600}},
        key=made["key"],
    )
    assert status in (200, 202), status

    async def cases() -> Any:
        return (await stack.get("hazards", f"/v1/cases?enterprise={OWN}"))["items"]

    found = await until(cases, lambda given: len(given) == 2)
    for case in found:
        version = (await stack.get("hazards", f"/v1/cases/{case['id']}"))["version"]
        status, said = await stack.send("hazards", f"/v1/cases/{case['id']}/comment", {"text": COMMENT}, version)
        assert status == 200, said
    by_point = {case["point"]: case["id"] for case in found}
    return Scene(by_point[POINT], by_point[None])
