"""Figures over HTTP, as the contract has them, and the rows behind each."""

from datetime import UTC, datetime, timedelta

import pytest

from services.reporting import handlers
from shared.vocabulary import CaseKind
from tests.reporting.conftest import Door, Hear
from tests.reporting.told import AT, ENTERPRISE, alarm, answer, enterprise, name, step

pytestmark = pytest.mark.postgres

OTHER = "91220821MA00000029"
FAR = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
async def told(hear: Hear) -> None:
    """Two counties on two days: three alarms, one case closed, one overdue, one that is void, one with time left."""
    elsewhere = {"enterprise": OTHER, "region": "220821", "industry": "food"}
    await hear(
        handlers.count_alarms,
        [alarm("a1"), alarm("a2", level="yellow", time=AT + timedelta(days=1)), alarm("a3", **elsewhere)],
    )
    await hear(
        handlers.count_cases,
        [
            step("c1"),
            step("c1", CaseKind.ACCEPTED, 2, time=AT + timedelta(hours=1), data={"grade": "general"}),
            step("c2", data={"opened_at": AT - timedelta(days=400), "due_at": AT - timedelta(days=399)}),
            step("c3", **elsewhere, data={"due_at": FAR}),
            step("c4"),
            step("c4", CaseKind.VOIDED, 2),
        ],
    )
    await hear(handlers.count_answers, [answer("c1"), answer("c3", timedelta(seconds=30.5), **elsewhere)])
    await hear(handlers.keep_names, [enterprise("白城石化")])


async def test_without_a_group_there_is_one_row_with_the_totals(told: None, door: Door):
    measures = "alarms cases_opened cases_closed cases_open cases_overdue seconds_to_acknowledge seconds_to_close"
    query = "&".join(f"measure={measure}" for measure in measures.split())

    status, answered = await door.ask(f"/v1/statistics?{query}")

    assert status == 200
    assert answered["rows"] == [
        {
            "alarms": 3,
            "cases_opened": 4,
            "cases_closed": 1,
            "cases_open": 2,
            "cases_overdue": 1,
            "seconds_to_acknowledge": {"count": 2, "sum": 120.5, "max": 90.0},
            "seconds_to_close": {"count": 1, "sum": 3600.0, "max": 3600.0},
        }
    ]
    assert datetime.fromisoformat(answered["as_of"]).tzinfo is not None


async def test_nothing_heard_is_one_row_of_zeros(door: Door):
    status, answered = await door.ask("/v1/statistics?measure=alarms&measure=seconds_to_close")

    assert status == 200
    assert answered["rows"] == [{"alarms": 0, "seconds_to_close": {"count": 0, "sum": 0.0, "max": 0.0}}]


async def test_rows_carry_the_groups_fields_and_zero_where_there_is_nothing(told: None, door: Door):
    query = "measure=alarms&measure=cases_overdue&group_by=region&group_by=level&measure=alarms"

    _, answered = await door.ask(f"/v1/statistics?{query}")

    assert answered["rows"] == [
        {"region": "220802", "level": "red", "alarms": 1, "cases_overdue": 1},
        {"region": "220802", "level": "yellow", "alarms": 1, "cases_overdue": 0},
        {"region": "220821", "level": "red", "alarms": 1, "cases_overdue": 0},
    ]


async def test_no_grade_is_null_and_enterprises_are_named_beside_the_rows(told: None, door: Door):
    _, answered = await door.ask(
        "/v1/statistics?measure=cases_closed&measure=alarms&group_by=grade&group_by=enterprise"
    )

    assert answered["rows"] == [
        {"grade": None, "enterprise": ENTERPRISE, "cases_closed": 0, "alarms": 2},
        {"grade": None, "enterprise": OTHER, "cases_closed": 0, "alarms": 1},
        {"grade": "general", "enterprise": ENTERPRISE, "cases_closed": 1, "alarms": 0},
    ]
    assert answered["names"] == {ENTERPRISE: "白城石化"}


async def test_from_and_to_bound_what_happened_both_days_inside_but_no_stock(told: None, door: Door):
    query = "measure=alarms&measure=cases_open&group_by=day&from=2026-11-26&to=2026-11-26"

    _, answered = await door.ask(f"/v1/statistics?{query}")

    assert answered["rows"] == [
        {"day": "2025-10-21", "alarms": 0, "cases_open": 1},
        {"day": "2026-11-25", "alarms": 0, "cases_open": 1},
        {"day": "2026-11-26", "alarms": 1, "cases_open": 0},
    ]


async def test_staff_see_the_figures_of_their_region_only(told: None, door: Door):
    county = await door.ask("/v1/statistics?measure=alarms&group_by=region", region="220821")
    city = await door.ask("/v1/statistics?measure=alarms", region="220800")
    elsewhere = await door.ask("/v1/statistics?measure=alarms&measure=cases_open", region="220100")

    assert county[1]["rows"] == [{"region": "220821", "alarms": 1}]
    assert city[1]["rows"] == [{"alarms": 3}]
    assert elsewhere[1]["rows"] == [{"alarms": 0, "cases_open": 0}]


async def test_an_enterprise_sees_its_own_figures_only(told: None, door: Door):
    own = {"role": "enterprise", "region": "220000", "enterprise": OTHER}

    _, figures = await door.ask("/v1/statistics?measure=alarms&group_by=enterprise", **own)
    _, rows = await door.ask(f"/v1/statistics/facts?measure=alarms&enterprise={ENTERPRISE}", **own)

    assert figures["rows"] == [{"enterprise": OTHER, "alarms": 1}]
    assert rows["items"] == []


@pytest.mark.parametrize(
    ("query", "code", "pointer", "words"),
    [
        ("measure=alarm", "invalid", "/measure/0", "cases_opened"),
        ("group_by=day", "invalid", "/measure", ""),
        ("measure=alarms&group_by=county", "invalid", "/group_by/0", "'industry'"),
        ("measure=alarms&from=2026-11-25T00:00:00Z", "invalid", "/from", "2026-11-25"),
        ("measure=alarms&to=2026-02-30", "invalid", "/to", ""),
        ("measure=alarms&from=2026-11-26&to=2026-11-25", "bad_range", "/from", ""),
        ("measure=alarms&region=22", "invalid", "/region", ""),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_the_place_and_what_could(door: Door, query, code, pointer, words):
    status, problem = await door.ask(f"/v1/statistics?{query}")

    assert (status, problem["code"], problem["pointer"]) == (422, code, pointer)
    assert words in problem["detail"]


@pytest.mark.parametrize("measure", ["alarms", "cases_opened", "cases_closed", "cases_open", "cases_overdue"])
async def test_each_figure_opens_into_its_rows(told: None, door: Door, measure: str):
    fields = ("day", "region", "industry", "level", "grade", "enterprise")
    groups = "&".join(f"group_by={field}" for field in fields)
    _, answered = await door.ask(f"/v1/statistics?measure={measure}&{groups}")

    for row in answered["rows"]:
        query = "&".join(f"{field}={row[field] or 'none'}" for field in fields)
        _, behind = await door.ask(f"/v1/statistics/facts?measure={measure}&{query}")

        assert len(behind["items"]) == row[measure] > 0
        assert all(item["region"] == row["region"] for item in behind["items"])


async def test_rows_behind_a_figure_come_newest_first_a_page_at_a_time(hear: Hear, door: Door):
    await hear(handlers.count_alarms, [alarm(f"a{n}", time=AT + timedelta(minutes=n // 2)) for n in range(7)])
    seen, cursor = [], ""

    while cursor is not None:
        _, answered = await door.ask(f"/v1/statistics/facts?measure=alarms&limit=3{cursor and f'&cursor={cursor}'}")
        seen += answered["items"]
        cursor = answered["next"]

    assert len({item["id"] for item in seen}) == len(seen) == 7
    assert [item["at"] for item in seen] == sorted((item["at"] for item in seen), reverse=True)


async def test_a_cursor_of_other_filters_is_refused(told: None, door: Door):
    _, answered = await door.ask("/v1/statistics/facts?measure=alarms&limit=1")

    status, problem = await door.ask(f"/v1/statistics/facts?measure=cases_open&limit=1&cursor={answered['next']}")

    assert (status, problem["code"]) == (400, "bad_cursor")


async def test_a_row_behind_a_duration_tells_its_seconds_and_its_case(told: None, door: Door):
    _, answered = await door.ask("/v1/statistics/facts?measure=seconds_to_acknowledge&region=220821")

    (item,) = answered["items"]
    assert (item["seconds"], item["case"], item["grade"]) == (30.5, str(name("case", "c3")), None)
    assert item["enterprise"] == {"uscc": OTHER, "name": None}
