"""notify's API: notifications in sight, their acknowledgement, who is on duty, and the routes."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import asyncpg
import orjson
import pytest

from services.notify.app import traced
from shared.events.event import origin_id
from shared.vocabulary import CaseKind, Level
from tests.notify.conftest import Hear
from tests.notify.stand import Door, on_duty
from tests.notify.world import CITY, COUNTY, PROVINCE, case_event, named

pytestmark = pytest.mark.postgres

TIERS = [("anna", COUNTY), ("boris", CITY), ("cao", PROVINCE)]
NOWHERE = "http://127.0.0.1:9"


async def one(door: Door, query: str = "", **staff: str) -> dict:  # type: ignore[type-arg]
    _, page = await door.ask(f"/v1/notifications{query}", **staff)
    (found,) = page["items"]
    return found  # type: ignore[no-any-return]


async def test_a_notification_looks_as_the_contract_has_it(door: Door, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event(name="push-1"))

    found = await one(door)

    assert (
        found.items()
        >= {
            "case": str(named("case")),
            "contact": "anna",
            "region": COUNTY,
            "tier": "county",
            "level": "red",
            "title": "T-1 红色报警",
            "state": "pending",
            "acknowledged_at": None,
            "acknowledged_by": None,
            "attempts": [],
            "event": {"source": "//test/dcs", "id": "push-1"},
        }.items()
    )
    assert found["occurred_at"].startswith("2026-11-25T02:00:00")
    assert await door.ask(f"/v1/notifications/{found['id']}") == (200, found)


async def test_filters_narrow_the_list(door: Door, hear: Hear) -> None:
    await on_duty(door, [*TIERS, ("hu", "220300")], NOWHERE)
    await hear(case_event(case="one"), case_event(case="two", region="220302", level=Level.ORANGE))

    async def contacts(query: str) -> list[str]:
        _, page = await door.ask(f"/v1/notifications?{query}")
        return sorted(each["contact"] or each["reason"] for each in page["items"])

    assert await contacts("") == ["anna", "hu", "nobody_on_duty"]
    assert await contacts("state=held") == ["nobody_on_duty"]
    assert await contacts("state=held&state=pending") == ["anna", "hu", "nobody_on_duty"]
    assert await contacts(f"case={named('one')}") == ["anna"]
    assert await contacts("region=220300") == ["hu", "nobody_on_duty"]
    assert await contacts("contact=anna") == ["anna"]
    assert await contacts(f"since={quote('2099-01-01T00:00:00+08:00')}") == []


async def test_pages_hold_each_notification_once_newest_first(door: Door, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    for number in range(7):
        await hear(case_event(case=f"case-{number}"))

    seen, cursor = [], ""
    while cursor is not None:
        _, page = await door.ask("/v1/notifications?limit=3" + (f"&cursor={cursor}" if cursor else ""))
        seen += [each["case"] for each in page["items"]]
        cursor = page["next"]

    assert seen == [str(named(f"case-{number}")) for number in reversed(range(7))]


async def test_a_cursor_of_another_list_is_refused(door: Door, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event(case="one"), case_event(case="two"))
    _, page = await door.ask("/v1/notifications?limit=1")

    status, problem = await door.ask(f"/v1/notifications?limit=1&state=sent&cursor={page['next']}")

    assert (status, problem["code"]) == (400, "bad_cursor")


async def test_what_is_out_of_sight_is_not_found(door: Door, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event())
    path = f"/v1/notifications/{(await one(door))['id']}"
    elsewhere = {"role": "officer", "region": "220302"}
    stranger = {"role": "enterprise", "enterprise": "91220203MA00000025"}
    own = {"role": "enterprise", "enterprise": "91220203MA00000017"}

    assert (await door.ask(path, **elsewhere))[0] == 404
    assert (await door.ask(path, **stranger))[0] == 404
    assert (await door.ask("/v1/notifications", **elsewhere))[1]["items"] == []
    assert (await door.ask("/v1/notifications", **stranger))[1]["items"] == []
    assert (await door.ask(path, **own))[0] == 200
    assert (await door.ask(f"{path}/acknowledge", "POST", **elsewhere))[0] == 404
    assert (await door.ask(f"{path}/acknowledge", "POST", **own))[0] == 403
    assert (await door.ask(f"{path}/acknowledge", "POST", role="viewer"))[0] == 403
    assert (await door.ask("/v1/notifications/not-a-uuid"))[0] == 422


async def test_the_first_acknowledgement_stands(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event())
    path = f"/v1/notifications/{(await one(door))['id']}/acknowledge"

    first = await door.ask(path, "POST", name="zhao", role="officer", region=COUNTY)
    again = await door.ask(path, "POST", name="li")

    assert first == again
    assert (first[0], first[1]["state"], first[1]["acknowledged_by"]) == (200, "acknowledged", "zhao")
    bodies = [orjson.loads(row["body"]) for row in await db.fetch("SELECT body FROM outbox ORDER BY seq")]
    answers = [body["data"] for body in bodies if body["data"]["kind"] == "acknowledged"]
    assert [(each["by"], each["case_first"]) for each in answers] == [("zhao", True)]


async def test_many_acknowledge_at_once_and_one_is_first(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, [("anna", COUNTY), ("bert", COUNTY)], NOWHERE)
    await hear(case_event(), case_event(CaseKind.WORSENED))
    _, page = await door.ask("/v1/notifications")

    answers = await asyncio.gather(
        *(
            door.ask(f"/v1/notifications/{each['id']}/acknowledge", "POST", name=f"officer-{number}")
            for number in range(5)
            for each in page["items"]
        )
    )

    assert {status for status, _ in answers} == {200}
    bodies = [orjson.loads(row["body"]) for row in await db.fetch("SELECT body FROM outbox")]
    told = [body["data"] for body in bodies if body["data"]["kind"] == "acknowledged"]
    assert len(told) == len({each["notification"] for each in told}) == 4
    assert sum(each["case_first"] for each in told) == 1


async def test_an_escalated_notification_can_still_be_acknowledged_and_a_held_one_cannot(
    door: Door, hear: Hear, time_passes: Callable[[], Awaitable[int]]
) -> None:
    await on_duty(door, [("anna", COUNTY), ("cao", PROVINCE)], NOWHERE)
    await hear(case_event())
    await time_passes()
    _, page = await door.ask("/v1/notifications")
    by_state = {each["state"]: each for each in page["items"]}

    held = await door.ask(f"/v1/notifications/{by_state['held']['id']}/acknowledge", "POST")
    answer = await door.ask(f"/v1/notifications/{by_state['escalated']['id']}/acknowledge", "POST")

    assert set(by_state) == {"escalated", "held", "pending"}
    assert (held[0], held[1]["code"]) == (409, "not_told")
    assert (answer[0], answer[1]["contact"]) == (200, "anna")
    assert await time_passes() == 0


async def test_on_duty_names_each_tier_and_the_next_change(door: Door) -> None:
    await on_duty(door, [("anna", COUNTY), ("boris", CITY)], NOWHERE)

    _, found = await door.ask(f"/v1/on-duty?region={COUNTY}")
    _, before = await door.ask(f"/v1/on-duty?region={COUNTY}&at={quote('2020-01-01T00:00:00+08:00')}")

    assert [(each["tier"], each["contact"], each["position"], each["reachable"]) for each in found["items"]] == [
        ("county", "anna", "primary", True),
        ("city", "boris", "primary", True),
    ]
    assert [(each["tier"], each["at"] and each["at"][:4]) for each in found["changes"]] == [
        ("county", "2098"),
        ("city", "2098"),
        ("province", None),
    ]
    assert before["items"] == []
    assert [each["at"] and each["at"][:4] for each in before["changes"]] == ["2025", "2025", None]


async def test_on_duty_of_a_region_out_of_sight_is_not_found(door: Door) -> None:
    assert (await door.ask(f"/v1/on-duty?region={CITY}", role="officer", region=COUNTY))[0] == 404
    assert (await door.ask("/v1/on-duty?region=229999"))[0] == 404
    assert (await door.ask("/v1/on-duty", role="officer", region=COUNTY))[0] == 200


async def test_routes_are_put_whole_and_hold_from_then_on(door: Door, hear: Hear, owner: asyncpg.Connection) -> None:
    _, routes = await door.ask("/v1/routes")
    red = next(each for each in routes["items"] if each["level"] == "red")
    assert red["tiers"][0] == {"tier": "county", "ack_within_s": 300.0}
    red["tiers"] = [{"tier": "city", "ack_within_s": 60}]

    status, answer = await door.ask("/v1/routes", "PUT", {"items": routes["items"]})

    assert (status, (await door.ask("/v1/routes"))[1]) == (200, answer)
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event())
    assert (await one(door))["contact"] == "boris"


@pytest.mark.parametrize(
    "tiers",
    [
        [{"tier": "city", "ack_within_s": 60}, {"tier": "county", "ack_within_s": 60}],
        [{"tier": "county", "ack_within_s": 60}, {"tier": "county", "ack_within_s": 60}],
        [{"tier": "county", "ack_within_s": 0}],
        [],
    ],
)
async def test_a_route_with_a_step_that_cannot_be_reached_is_refused(
    door: Door, tiers: list[dict[str, object]]
) -> None:
    items = [{"level": level, "tiers": [{"tier": "county", "ack_within_s": 60}]} for level in list(Level)[1:]]

    status, _ = await door.ask("/v1/routes", "PUT", {"items": [*items, {"level": "red", "tiers": tiers}]})

    assert status == 422


async def test_routes_are_for_managers_of_the_province(door: Door) -> None:
    _, routes = await door.ask("/v1/routes")
    body = {"items": routes["items"]}

    assert (await door.ask("/v1/routes", "PUT", body, role="manager", region=COUNTY))[0] == 403
    assert (await door.ask("/v1/routes", "PUT", body, role="officer"))[0] == 403
    assert (await door.ask("/v1/routes", "PUT", {"items": routes["items"][1:]}))[1]["code"] == "bad_routes"
    assert (await door.ask("/v1/routes", "PUT", body, role="manager"))[0] == 200


async def test_reconcile_hears_one_call_for_each_push(door: Door, db: asyncpg.Connection, hear: Hear) -> None:
    await on_duty(door, TIERS, NOWHERE)
    await hear(case_event(name="push-1"), case_event(CaseKind.REPEATED, "push-2"))

    asked = [{"source": "//test/dcs", "id": name} for name in ("push-1", "push-2", "push-3")]
    _, answer = await door.ask("/v1/verdicts", "POST", {"events": asked})

    assert [(each["verdicts"], each["held"], each["effects"], each["doubled"]) for each in answer["items"]] == [
        (1, [], 1, 0),
        (1, ["already_told"], 0, 0),
        (0, [], 0, 0),
    ]
    assert await db.fetchval("SELECT count(*) FROM inbox WHERE origin = $1", origin_id("//test/dcs", "push-1")) == 1


async def test_a_trace_names_who_was_told_in_the_order_in_which_it_happened(
    door: Door, db: asyncpg.Connection, hear: Hear, time_passes: Callable[[], Awaitable[int]]
) -> None:
    await on_duty(door, [("zoe", COUNTY), ("boris", CITY), ("anna", PROVINCE)], NOWHERE)
    opened = case_event()
    await hear(opened)
    await time_passes()
    await time_passes()

    told = await traced(db, [opened.id])

    assert [each["contact"] for each in told["notifications"]] == ["zoe", "boris", "anna"]
