"""The ledger over HTTP: the walk to the write-off, who may do and see what, and every refusal."""

import time
from typing import Any
from urllib.parse import quote
from uuid import uuid5

import pytest

from shared.events.event import NAMESPACE
from tests.hazards.desk import (
    ADMIN,
    BODIES,
    FIVE,
    MANAGER,
    OFFICER,
    START,
    SUBMIT,
    act,
    asked,
    case_of,
    opened,
    plant_staff,
    shown,
    walked,
)
from tests.ingest.pushing import Plant, fresh
from tests.stack import alarm, hazard, until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

WALK = ("confirm", "start", "submit", "return", "submit", "accept")


async def test_a_case_walks_from_the_push_to_its_write_off(plant: Plant):
    pushed = fresh("h")
    case = await opened(plant, "管廊防火涂料脱落", pushed=pushed, location="二号装置")
    allowed = [case["actions"]]
    for action in WALK:
        staff = plant_staff(plant) if action == "submit" else OFFICER if action == "confirm" else MANAGER
        status, case = await act(plant, case["id"], action, case["version"], **staff)
        assert status == 200, case
        allowed.append(case["actions"])

    assert (case["state"], case["version"], case["grade"], case["overdue"]) == ("closed", 7, "general", False)
    assert case["enterprise"]["uscc"] == plant.uscc
    assert [row["kind"] for row in case["timeline"]] == [
        "opened",
        "confirmed",
        "started",
        "submitted",
        "returned",
        "submitted",
        "accepted",
    ]
    assert [row["event"] for row in case["timeline"]] == [{"source": "//test/check", "id": pushed}] + [None] * 6
    assert allowed == [
        ["confirm", "comment", "void"],
        ["start", "comment", "void"],
        ["submit", "comment", "void"],
        ["accept", "return", "comment", "void"],
        ["submit", "comment", "void"],
        ["accept", "return", "comment", "void"],
        ["comment"],
    ]


async def test_the_version_is_the_etag_that_comes_back(plant: Plant):
    case = await opened(plant)

    status, shown_now, headers = await asked(plant, f"/v1/cases/{case['id']}")

    assert (status, headers["ETag"]) == (200, f'"{shown_now["version"]}"')


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        (None, 428, "version_required"),
        ("*", 400, "bad_version"),
        ('W/"1"', 400, "bad_version"),
        ("1", 400, "bad_version"),
        ('"1", "2"', 400, "bad_version"),
        ('"x"', 400, "bad_version"),
        ('""', 400, "bad_version"),
        ('"2"', 412, "version_lost"),
        ('"0"', 412, "version_lost"),
    ],
)
async def test_a_step_names_the_version_it_was_seen_at(plant: Plant, if_match, status, code):
    case = await opened(plant)

    answered, problem = await act(plant, case["id"], "comment", if_match)

    assert (answered, problem["code"]) == (status, code)
    assert problem.get("version", 1) == 1
    assert (await shown(plant, case["id"]))["version"] == 1


async def test_a_double_click_takes_one_step(plant: Plant):
    case = await opened(plant)

    answers = [await act(plant, case["id"], "confirm", 1, **OFFICER) for _ in range(2)]

    assert [status for status, _ in answers] == [200, 412]
    assert answers[1][1]["version"] == 2
    assert [row["kind"] for row in (await shown(plant, case["id"]))["timeline"]] == ["opened", "confirmed"]


@pytest.mark.parametrize(
    ("steps", "action", "allowed"),
    [
        ((), "accept", ["confirm", "comment", "void"]),
        (("confirm",), "confirm", ["start", "comment", "void"]),
        (("confirm", "start"), "accept", ["submit", "comment", "void"]),
        (("confirm", "start", "submit"), "start", ["accept", "return", "comment", "void"]),
        (("confirm", "start", "submit", "accept"), "void", ["comment"]),
        (("void",), "confirm", ["comment"]),
    ],
)
async def test_a_forbidden_step_is_told_what_is_allowed(plant: Plant, steps, action, allowed):
    case = await walked(plant, *steps)

    status, problem = await act(plant, case["id"], action, case["version"])

    assert (status, problem["code"], problem["allowed"]) == (409, "forbidden_step", allowed)


async def test_whoever_submitted_may_not_accept_not_even_the_admin(plant: Plant):
    case = await walked(plant, "confirm", "start")
    _, case = await act(plant, case["id"], "submit", case["version"], **ADMIN)

    status, problem = await act(plant, case["id"], "accept", case["version"], **ADMIN)

    assert (status, problem["code"]) == (403, "same_person")
    assert (await act(plant, case["id"], "accept", case["version"], **MANAGER))[0] == 200


async def test_a_major_hazard_starts_with_all_five(plant: Plant):
    case = await opened(plant)
    _, case = await act(plant, case["id"], "confirm", 1, {"grade": "major"})

    status, problem = await act(plant, case["id"], "start", 2, START)
    started, case = await act(plant, case["id"], "start", 2, FIVE)

    assert (status, problem["code"]) == (422, "five_required")
    assert problem["pointers"] == ["/measures", "/money", "/plan"]
    assert (started, case["measures"], case["due_at"]) == (200, "更换安全阀", "2098-12-31T16:00:00+00:00")


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("confirm", {}, "/grade"),
        ("confirm", {"grade": "重大"}, "/grade"),
        ("confirm", {"grade": "general", "more": 1}, "/more"),
        ("confirm", [], ""),
        ("start", {"responsible": "王工"}, "/due_at"),
        ("start", START | {"responsible": " \u3000"}, "/responsible"),
        ("start", START | {"responsible": "a\x00"}, "/responsible"),
        ("start", START | {"due_at": "2099-01-01T00:00:00"}, "/due_at"),
        ("start", START | {"due_at": "2099-01-01"}, "/due_at"),
        ("start", START | {"due_at": 4070908800}, "/due_at"),
        ("start", START | {"due_at": "4070908800"}, "/due_at"),
        ("start", START | {"due_at": "9999-12-31T23:59:59-08:00"}, "/due_at"),
        ("start", START | {"due_at": "0001-01-01T00:00:00+08:00"}, "/due_at"),
        ("start", START | {"due_at": "2001-01-01T00:00:00+08:00"}, "/due_at"),
        ("submit", {"evidence": []}, "/evidence"),
        ("submit", {"evidence": [{"url": "file:///etc/passwd", "sha256": "0" * 64}]}, "/evidence/0/url"),
        ("submit", {"evidence": [{"url": "https://a/\x00", "sha256": "0" * 64}]}, "/evidence/0/url"),
        ("submit", {"evidence": [{"url": "https://a/b", "sha256": "x"}]}, "/evidence/0/sha256"),
        ("return", {}, "/reason"),
        ("void", {"reason": ""}, "/reason"),
        ("void", {"reason": "x" * 70_000}, "/reason"),
        ("comment", {"text": "\x00"}, "/text"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_with_its_place(plant: Plant, action, body, pointer):
    steps = {"start": ("confirm",), "submit": ("confirm", "start"), "return": ("confirm", "start", "submit")}
    case = await walked(plant, *steps.get(action, ()))

    status, problem = await act(plant, case["id"], action, case["version"], body)

    assert (status, problem["pointer"]) == (422, pointer), problem
    assert (await shown(plant, case["id"]))["version"] == case["version"]


MAY = {
    "viewer": set(),
    "ops": set(),
    "officer": {"confirm", "comment"},
    "manager": {"start", "accept", "return", "void", "comment"},
    "enterprise": {"submit"},
    "admin": set(BODIES),
}
BEFORE = {"start": ("confirm",), "submit": ("confirm", "start")} | dict.fromkeys(
    ("accept", "return"), ("confirm", "start", "submit")
)


@pytest.mark.parametrize("action", BODIES)
async def test_each_role_takes_its_own_steps_only(plant: Plant, action):
    case = await walked(plant, *BEFORE.get(action, ()))
    for role, actions in MAY.items():
        if action not in actions:
            own = {"enterprise": plant.uscc} if role == "enterprise" else {}
            status, problem = await act(plant, case["id"], action, case["version"], role=role, **own)
            assert (status, problem["code"]) == (403, "forbidden"), role

    for role in [role for role, actions in MAY.items() if action in actions]:
        again = await walked(plant, *BEFORE.get(action, ()))
        own = {"enterprise": plant.uscc} if role == "enterprise" else {}
        status, answer = await act(plant, again["id"], action, again["version"], role=role, name=f"a {role}", **own)
        assert status == 200, (role, answer)


async def test_without_a_token_nothing_is_told(plant: Plant):
    url = plant.stack.url("hazards", "/v1/cases")
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {plant.key}"}):
        async with plant.stack.session.get(url, headers=headers) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("staff", "own", "far"),
    [
        ({"role": "viewer", "region": "220000"}, True, True),
        ({"role": "viewer", "region": "220200"}, True, False),
        ({"role": "viewer", "region": "220203"}, True, False),
        ({"role": "viewer", "region": "220204"}, False, False),
        ({"role": "viewer", "region": "220100"}, False, True),
        ({"role": "enterprise", "region": "220000", "enterprise": "{own}"}, True, False),
        ({"role": "enterprise", "region": "220000", "enterprise": "{far}"}, False, True),
    ],
    ids=["province", "city", "county", "other county", "other city", "enterprise", "other enterprise"],
)
async def test_staff_see_their_region_and_an_enterprise_its_own(plant: Plant, far_plant: Plant, staff, own, far):
    cases = [(await opened(plant))["id"], (await opened(far_plant))["id"]]
    asking = staff | {k: v.format(own=plant.uscc, far=far_plant.uscc) for k, v in staff.items() if k == "enterprise"}

    each = [await shown(plant, case, **asking) is not None for case in cases]
    _, listed, _ = await asked(plant, "/v1/cases?limit=500", **asking)
    async with plant.stack.session.get(
        plant.stack.url("hazards", "/v1/cases/export"), headers=plant.stack.headers(**asking)
    ) as answer:
        exported = await answer.text()

    assert each == [own, far]
    assert [case in {item["id"] for item in listed["items"]} for case in cases] == [own, far]
    assert [case in exported for case in cases] == [own, far]


async def test_a_foreign_case_is_as_unknown_as_none(plant: Plant, far_plant: Plant):
    foreign, none = (await opened(far_plant))["id"], uuid5(NAMESPACE, fresh())
    staff = {"role": "manager", "region": "220203"}

    for case in (foreign, none):
        status, problem, _ = await asked(plant, f"/v1/cases/{case}", **staff)
        acted, refusal = await act(plant, case, "void", 1, **staff)

        assert (status, acted) == (404, 404)
        assert problem == refusal == problem | {"code": "not_found", "detail": "no such case"}


@pytest.mark.parametrize("case", ["x", "1%20OR%201%3D1", "..%2F..%2Fetc", "%00", "'"])
async def test_what_is_no_case_id_is_refused(plant: Plant, case):
    assert (await asked(plant, f"/v1/cases/{case}"))[0] in {404, 422}
    assert (await act(plant, case, "comment", 1))[0] in {404, 422}


async def test_an_action_that_there_is_not_is_not_found(plant: Plant):
    case = await opened(plant)

    assert (await act(plant, case["id"], "delete", 1, {}))[0] == 404


async def pages(plant: Plant, path: str, after_each: Any = None, **staff: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list."""
    found, cursor = [], ""
    while True:
        status, page, _ = await asked(plant, path + (f"&cursor={cursor}" if cursor else ""), **staff)
        assert status == 200, page
        found.append(page["items"])
        if page["next"] is None:
            return found
        cursor = page["next"]
        if after_each:
            await after_each()


async def test_pages_hold_every_case_once_while_new_ones_arrive(plant: Plant):
    mark = fresh("page")
    ids = [fresh() for _ in range(25)]
    await plant.push(*(hazard(each, f"{mark} {each}") for each in ids))
    await plant.arrive(*ids)

    async def one_more() -> None:
        await opened(plant, f"{mark} new")

    found = await pages(plant, f"/v1/cases?limit=7&text={mark}", one_more)

    seen = [case["id"] for page in found for case in page]
    assert [len(page) for page in found] == [7, 7, 7, 4]
    assert sorted(seen) == sorted(str(case_of(plant, each)) for each in ids)
    opened_at = [case["opened_at"] for page in found for case in page]
    assert opened_at == sorted(opened_at, reverse=True)


QUESTIONS = [
    ("cursor=x", 400),
    ("cursor=W10", 400),
    ("cursor=" + "A" * 400, 400),
    ("cursor=%FF", 400),
    ("limit=-1", 422),
    ("limit=0", 422),
    ("limit=x", 422),
    ("level=RED", 422),
    ("region=22", 422),
    ("region=%EF%BC%92%EF%BC%92%EF%BC%90%EF%BC%92%EF%BC%90%EF%BC%93", 422),
    ("since=2026-01-01", 422),
    ("since=1700000000", 422),
    ("since=0001-01-01T00:00:00%2B08:00", 422),
    ("since=9999-12-31T23:59:59-08:00", 422),
    ("text=%00", 422),
    ("enterprise=%00", 422),
]
ABOUT_CASES = [("state=open", 422), ("grade=x", 422), ("overdue=maybe", 422)]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [("cases", *question) for question in QUESTIONS + ABOUT_CASES] + [("alarms", *question) for question in QUESTIONS],
)
async def test_a_question_that_makes_no_sense_is_refused(plant: Plant, path, query, status):
    answered, problem, _ = await asked(plant, f"/v1/{path}?{query}")

    assert (answered, problem["code"]) == (status, "bad_cursor" if status == 400 else "invalid"), problem


async def test_a_cursor_belongs_to_its_filters_and_to_who_asked(plant: Plant):
    await opened(plant), await opened(plant)
    _, page, _ = await asked(plant, "/v1/cases?limit=1")

    for path, staff in [
        ("/v1/cases?level=yellow", {}),
        ("/v1/cases?limit=1", {"region": "220200"}),
        ("/v1/alarms?limit=1", {}),
    ]:
        status, problem, _ = await asked(plant, f"{path}&cursor={page['next']}", **staff)
        assert (status, problem["code"]) == (400, "bad_cursor")


async def test_a_limit_beyond_all_measure_is_capped(plant: Plant):
    status, page, _ = await asked(plant, "/v1/cases?limit=1000000000")

    assert status == 200
    assert len(page["items"]) <= 500


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "100%_\\d", '"', "$1", "🧯", "İ"])
async def test_what_is_searched_for_is_meant_literally(plant: Plant, text):
    mark = fresh("search")
    match = await opened(plant, f"{mark} <{text}>")
    await opened(plant, f"{mark} <X>")

    _, page, _ = await asked(plant, f"/v1/cases?text={quote(f'{mark} <{text}>', safe='')}")

    assert [case["id"] for case in page["items"]] == [match["id"]]


async def test_a_search_finds_capitals_and_the_names_of_enterprises(plant: Plant):
    case = await opened(plant, f"Valve {fresh()}")

    for text in (case["title"].upper(), case["enterprise"]["name"]):
        _, page, _ = await asked(plant, f"/v1/cases?limit=500&text={quote(text)}")
        assert case["id"] in {each["id"] for each in page["items"]}


async def test_a_search_for_ten_thousand_characters_is_answered_soon(plant: Plant):
    began = time.monotonic()

    status, _, _ = await asked(plant, f"/v1/cases?text={'%25' * 10_000}")

    assert status in {200, 422}
    assert time.monotonic() - began < 5  # of which a second is the promise, on a machine of its own


async def test_filters_narrow_the_ledger(plant: Plant, far_plant: Plant):
    mark = fresh("filter")
    major = await opened(plant, mark, grade="major")
    general = await opened(plant, mark)
    far = await opened(far_plant, mark)
    await act(plant, general["id"], "confirm", 1)
    since = quote(general["opened_at"], safe="")

    async def found(query: str) -> set[str]:
        _, page, _ = await asked(plant, f"/v1/cases?text={mark}&{query}")
        return {case["id"] for case in page["items"]}

    assert await found("state=confirmed") == {general["id"]}
    assert await found("state=confirmed&state=reported") == {major["id"], general["id"], far["id"]}
    assert await found("grade=major") == {major["id"]}
    assert await found("level=red") == {major["id"]}
    assert await found("region=220200") == {major["id"], general["id"]}
    assert await found("region=220102") == {far["id"]}
    assert await found(f"enterprise={far_plant.uscc}") == {far["id"]}
    assert await found("industry=food") == set()
    assert await found(f"since={since}") == {general["id"], far["id"]}


async def test_overdue_follows_from_the_deadline_and_the_clock(plant: Plant):
    mark = fresh("late")
    case = await opened(plant, mark)
    assert case["overdue"] is False

    await plant.stack.sql("UPDATE hazards.cases SET due_at = now() - interval '1 s' WHERE id = $1::uuid", case["id"])

    assert (await shown(plant, case["id"]))["overdue"] is True
    _, page, _ = await asked(plant, f"/v1/cases?overdue=true&text={mark}")
    _, others, _ = await asked(plant, f"/v1/cases?overdue=false&text={mark}")
    assert ([each["id"] for each in page["items"]], others["items"]) == ([case["id"]], [])


async def test_a_deadline_that_passed_is_told_and_climbs_by_itself(plant: Plant):
    case = await opened(plant)
    past = "UPDATE hazards.cases SET due_at = now(), next_check_at = now() WHERE id = $1::uuid"
    for kinds in (["overdue"], ["overdue", "escalated"], ["overdue", "escalated", "escalated"]):
        await plant.stack.sql(past, case["id"])

        await until(
            lambda: shown(plant, case["id"]),
            lambda found, kinds=kinds: [row["kind"] for row in found["timeline"][1:]] == kinds,
        )


async def test_a_long_timeline_is_shown_from_its_newest_rows_on(plant: Plant):
    name, ids = f"P-{fresh()}", [fresh() for _ in range(230)]
    await plant.stack.upload("ingest", "/v1/points/import", f"uscc,point,name\n{plant.uscc},{name},测点\n")
    assert (await plant.push(*(alarm(each, name) for each in ids))).body["accepted"] == 230
    await plant.arrive(*ids)

    newest = await shown(plant, case_of(plant, ids[0], "//test/dcs"))
    _, rest, _ = await asked(plant, f"/v1/cases/{newest['id']}?timeline_before={newest['timeline_next']}")

    assert (newest["version"], newest["occurrences"], len(newest["timeline"])) == (230, 230, 200)
    assert [row["event"]["id"] for row in rest["timeline"] + newest["timeline"]] == ids
    assert rest["timeline_next"] is None


async def test_the_board_shows_the_gravest_open_level_of_each_point(plant: Plant):
    name = f"B-{fresh()}"
    await plant.stack.upload("ingest", "/v1/points/import", f"uscc,point,name\n{plant.uscc},{name},测点\n")

    async def board(*said: dict[str, Any]) -> dict[str, Any]:
        assert (await plant.push(*said)).status == 202
        marker = fresh()
        await plant.push(alarm(marker, name, "red", "cleared"))
        inbox = "SELECT 1 FROM hazards.inbox i WHERE i.origin = $1"
        await until(lambda: plant.stack.sql(inbox, _origin("//test/dcs", marker)))
        _, page, _ = await asked(plant, f"/v1/alarms?text={name}")
        return page["items"][0]

    yellow = await board(alarm(fresh(), name, "yellow", data={"value": 85.0, "limit": 80.0}))
    orange = await board(alarm(fresh(), name, "orange", data={"value": 95.0}))
    ended = await board(alarm(fresh(), name, "orange", "cleared"), alarm(fresh(), name, "yellow", "cleared"))

    assert (yellow["level"], yellow["state"], yellow["value"], yellow["limit"]) == ("yellow", "raised", 85, 80)
    assert (yellow["case"], yellow["acknowledged"]) == (None, False)
    assert (orange["level"], orange["state"], orange["case"] is not None) == ("orange", "raised", True)
    assert (ended["state"], ended["cleared_at"] is not None) == ("cleared", True)


def _origin(source: str, pushed: str) -> Any:
    from shared.events.event import origin_id

    return origin_id(source, pushed)


async def test_pages_of_the_board_hold_every_point_once(plant: Plant):
    mark = fresh("board")
    names = [f"{mark}-{number}" for number in range(12)]
    rows = "".join(f"{plant.uscc},{name},测点\n" for name in names)
    await plant.stack.upload("ingest", "/v1/points/import", "uscc,point,name\n" + rows)
    ids = [fresh() for _ in names]
    await plant.push(*(alarm(each, name) for each, name in zip(ids, names, strict=True)))
    await plant.arrive(*ids)

    found = await pages(plant, f"/v1/alarms?limit=5&text={mark}")

    assert [len(page) for page in found] == [5, 5, 2]
    assert sorted(point["point"] for page in found for point in page) == sorted(names)


async def test_evidence_stands_on_the_timeline_as_it_was_given(plant: Plant):
    case = await walked(plant, "confirm", "start", "submit")

    row = case["timeline"][-1]

    assert (row["kind"], row["by"], row["detail"]) == ("submitted", "plant wang", SUBMIT)
