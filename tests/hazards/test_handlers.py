"""What hazards hears has its effect once, however often and in whatever batches it is delivered."""

import random

import pytest

from services.hazards.domain.case import alarm_cause
from services.hazards.handlers import acknowledge_alarms, open_or_join_cases, open_reported_cases
from shared.events.event import derived_id
from shared.events.notifications import NotificationChanged, NotificationData
from shared.topics import CASES
from shared.vocabulary import CaseKind, NotificationKind, NotificationState, Tier
from tests.hazards.conftest import Hear
from tests.hazards.signs import ENTERPRISE, alarm, at, report

pytestmark = pytest.mark.postgres

STREAM = [
    alarm(),
    alarm("orange", minute=1),
    alarm("yellow", minute=1),
    alarm(point="T-102"),
    alarm(state="cleared", minute=2),
    alarm("orange", "cleared", 2),
    alarm(minute=3),
    alarm("blue", "cleared", 3),
]


async def timeline(db) -> list[tuple]:
    """Every row of the test's cases, in order."""
    rows = await db.fetch(
        "SELECT t.case_id, t.version, t.id, t.kind, t.pushid FROM timeline t JOIN cases c ON c.id = t.case_id "
        "WHERE c.enterprise = $1 ORDER BY t.case_id, t.version",
        ENTERPRISE,
    )
    return [tuple(row) for row in rows]


async def cases(db) -> list[dict]:
    rows = await db.fetch("SELECT * FROM cases WHERE enterprise = $1 ORDER BY id", ENTERPRISE)
    return [dict(row) | {"changed_at": None} for row in rows]


async def test_an_alarm_opens_a_case_and_says_so(db, hear: Hear):
    await hear(open_or_join_cases, [alarm()])

    (case,) = await cases(db)
    (row,) = await timeline(db)
    said = await db.fetch("SELECT id, key, body FROM outbox WHERE topic = 'cases' AND key = $1", str(case["id"]))
    event = CASES.reader.validate_json(said[0]["body"])
    assert (case["cause"], case["level"], row[3]) == (alarm_cause(ENTERPRISE, "T-101"), "red", "opened")
    assert [each["id"] for each in said] == [row[2]] == [derived_id(alarm().id, "case")]
    assert (event.data.kind, event.data.case, event.data.event.id) == (CaseKind.OPENED, case["id"], alarm().pushid)


async def test_a_redelivered_alarm_changes_nothing(db, hear: Hear):
    await hear(open_or_join_cases, STREAM)
    before = await cases(db), await timeline(db)

    await hear(open_or_join_cases, STREAM)
    await hear(open_or_join_cases, STREAM[2:4] * 2)

    assert (await cases(db), await timeline(db)) == before


@pytest.mark.parametrize("seed", range(5))
async def test_a_stream_cut_in_any_way_makes_the_same_cases(db, hear: Hear, seed):
    part = db.transaction()
    await part.start()
    await hear(open_or_join_cases, STREAM)
    wanted = await cases(db), await timeline(db)
    await part.rollback()

    chance, rest = random.Random(seed), list(STREAM)
    while rest:
        size = chance.randint(1, 3)
        await hear(open_or_join_cases, rest[:size] + chance.sample(STREAM[: len(STREAM) - len(rest) + 1], 1))
        rest = rest[size:]

    assert (await cases(db), await timeline(db)) == wanted


async def test_every_alarm_has_a_row_on_a_timeline_or_the_reason_why_not(db, hear: Hear):
    held = await hear(open_or_join_cases, STREAM)

    touched = [row[4] for row in await timeline(db)]
    assert sorted(touched + [each.pushid for each in STREAM if each.id in held]) == sorted(s.pushid for s in STREAM)
    kept = await db.fetch("SELECT id, held FROM inbox WHERE id = ANY($1)", [each.id for each in STREAM])
    assert {row["id"]: row["held"] for row in kept if row["held"]} == held
    assert len(kept) == len(STREAM)


async def test_every_report_opens_a_case_of_its_own(db, hear: Hear):
    await hear(open_reported_cases, [report("r1"), report("r2"), report("r1")])

    assert [row[3] for row in await timeline(db)] == ["opened", "opened"]
    assert len(await cases(db)) == 2


def answer(case, kind: NotificationKind = NotificationKind.ACKNOWLEDGED, minute: float = 5) -> NotificationChanged:
    """That somebody acknowledged a notification of a case."""
    return NotificationChanged(
        id=derived_id(case["id"], kind, str(minute)),
        source="//fengsui/notify",
        time=at(minute),
        enterprise=ENTERPRISE,
        region="220203",
        industry="petrochemical",
        data=NotificationData(
            notification=derived_id(case["id"], "notification"),
            kind=kind,
            state=NotificationState.ACKNOWLEDGED,
            case=case["id"],
            call=derived_id(case["id"], "call"),
            tier=Tier.COUNTY,
            level=case["level"],
            title=case["title"],
            by="zhang",
            first_created_at=at(0),
        ),
    )


async def board(db) -> dict[str, tuple]:
    """Who acknowledged each alarm, and when."""
    rows = await db.fetch("SELECT * FROM alarms WHERE enterprise = $1", ENTERPRISE)
    return {f"{row['point']} {row['level']}": (row["acknowledged_by"], row["acknowledged_at"]) for row in rows}


async def test_an_acknowledged_notification_acknowledges_the_alarms_of_its_case_and_no_other(db, hear: Hear):
    await hear(open_or_join_cases, [alarm(), alarm("orange", minute=1), alarm(point="T-102"), alarm("blue")])
    case = next(each for each in await cases(db) if each["point"] == "T-101")

    held = await hear(acknowledge_alarms, [answer(case)])

    assert held == {}
    assert await board(db) == {
        "T-101 red": ("zhang", at(5)),
        "T-101 orange": ("zhang", at(5)),
        "T-101 blue": (None, None),
        "T-102 red": (None, None),
    }


async def test_an_answer_to_an_earlier_condition_does_not_answer_the_new_one(db, hear: Hear):
    await hear(open_or_join_cases, [alarm(), alarm(state="cleared", minute=6), alarm(minute=7)])
    (case,) = await cases(db)

    await hear(acknowledge_alarms, [answer(case, minute=5)])

    assert await board(db) == {"T-101 red": (None, None)}


async def test_what_is_no_answer_leaves_nothing_behind(db, hear: Hear):
    await hear(open_or_join_cases, [alarm()])
    (case,) = await cases(db)
    created = answer(case, NotificationKind.CREATED)

    await hear(acknowledge_alarms, [created])

    assert not await db.fetchval("SELECT count(*) FROM inbox WHERE id = $1", created.id)
    assert await board(db) == {"T-101 red": (None, None)}
