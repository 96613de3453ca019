"""The desk at which a test works on cases: it opens them by a push, and acts on them as staff."""

from typing import Any
from uuid import UUID

from yarl import URL

from shared.events.event import derived_id, event_id
from tests.ingest.pushing import Plant, fresh
from tests.stack import hazard, until

OFFICER = {"role": "officer", "name": "officer zhang"}
MANAGER = {"role": "manager", "name": "manager li"}
ADMIN = {"role": "admin", "name": "admin"}
START = {"responsible": "王工", "due_at": "2099-01-01T00:00:00+08:00"}
FIVE = START | {"measures": "更换安全阀", "money": "企业自筹", "plan": "停车预案"}
SUBMIT = {"evidence": [{"url": "https://files.example/1.jpg", "sha256": "0f" * 32}], "text": "已更换"}
BODIES: dict[str, dict[str, Any]] = {
    "confirm": {"grade": "general"},
    "start": START,
    "submit": SUBMIT,
    "return": {"reason": "照片不清"},
    "accept": {},
    "void": {"reason": "误报"},
    "comment": {"text": "已电话联系"},
}


def plant_staff(plant: Plant) -> dict[str, Any]:
    """The enterprise's own safety officer."""
    return {"role": "enterprise", "name": "plant wang", "enterprise": plant.uscc}


def case_of(plant: Plant, pushed: str, source: str = "//test/check") -> UUID:
    """The id of the case that a push opens."""
    return derived_id(event_id(plant.uscc, source, pushed), "opened")


async def opened(plant: Plant, *titles: str, pushed: str = "", **data: Any) -> dict[str, Any]:
    """A case that a hazard report opened a moment ago."""
    pushed = pushed or fresh("h")
    answer = await plant.push(hazard(pushed, *titles, data=data))
    assert answer.status == 202, answer
    return await until(lambda: shown(plant, case_of(plant, pushed)), timeout=20)


async def shown(plant: Plant, case: Any, **staff: Any) -> dict[str, Any] | None:
    """A case as staff see it; None where there is none for them."""
    status, answer, _ = await asked(plant, f"/v1/cases/{case}", **staff)
    assert status in {200, 404}, answer
    return answer if status == 200 else None


async def asked(plant: Plant, path: str, **staff: Any) -> tuple[int, Any, Any]:
    """What hazards answers: status, body, headers."""
    url = URL(plant.stack.url("hazards", path), encoded=True)
    async with plant.stack.session.get(url, headers=plant.stack.headers(**staff)) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def act(
    plant: Plant, case: Any, action: str, if_match: str | int | None, body: Any = None, **staff: Any
) -> tuple[int, Any]:
    """One step of a case; status and answer."""
    matched = f'"{if_match}"' if isinstance(if_match, int) else if_match
    headers = plant.stack.headers(**(staff or ADMIN)) | ({"If-Match": matched} if matched is not None else {})
    url = plant.stack.url("hazards", f"/v1/cases/{case}/{action}")
    given = BODIES.get(action, {}) if body is None else body
    async with plant.stack.session.post(url, json=given, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def walked(plant: Plant, *actions: str) -> dict[str, Any]:
    """A case after these steps by whoever takes them."""
    case = await opened(plant)
    for action in actions:
        staff = plant_staff(plant) if action == "submit" else OFFICER if action == "confirm" else MANAGER
        status, case = await act(plant, case["id"], action, case["version"], **staff)
        assert status == 200, case
    return case
