"""What was said in the past is understood today: every example is parsed, and decided upon."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from deploy.contracts import FOLDER, type_of
from services.hazards.domain.deadlines import DEFAULTS
from services.hazards.domain.ledger import Ledger, take_alarms
from services.ingest.domain.admission import TYPES, Pusher, admit
from services.ingest.domain.engine import PointStates, decide
from services.ingest.domain.frames import admit_frame
from services.ingest.domain.limits import Limits
from services.notify.domain.calls import take_events
from services.notify.domain.duty import Duty
from services.reporting.domain.copies import newest_enterprises
from services.reporting.domain.tally import is_first_answer, of_alarm, of_answer, of_case
from shared.topics import TOPICS

EXAMPLES = {path.stem: path.read_bytes() for path in sorted((FOLDER / "examples").glob("*.json"))}
NOW = datetime(2026, 11, 25, 8, 0, 1, 250_000, tzinfo=UTC)
PUSHER = Pusher("91350100M000100Y43", "吉林示例化工有限公司", "220203", "petrochemical")
POINTS = {"T-101", "P-7"}
READERS = {type_of(kind): topic.reader for topic in TOPICS.values() for kind in topic.carries}
ROUTES = {level: {"county": timedelta(minutes=10)} for level in ("red", "orange", "yellow", "blue")}


def said(name: str) -> Any:
    """An example as its readers have it."""
    content = EXAMPLES[name]
    return READERS[orjson.loads(content)["type"]].validate_json(content)


def pushed(name: str) -> Any:
    """An example as the door parses it."""
    return orjson.loads(EXAMPLES[name])


def test_everything_that_is_said_or_pushed_has_an_example():
    types = {orjson.loads(content).get("type") for name, content in EXAMPLES.items() if not name.startswith("pushed.")}

    assert types == set(READERS)
    assert {f"pushed.{name}" for name in TYPES} | {"pushed.readings.rows", "pushed.readings.columns"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if not name.startswith("pushed.")])
def test_an_example_comes_back_as_it_was_said(name):
    event = said(name)

    assert (
        orjson.loads(event.wire()).items()
        >= {member: value for member, value in pushed(name).items() if member != "data"}.items()
    )
    assert TOPICS[next(t for t in TOPICS if type(event) in TOPICS[t].carries)].key(event)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_push_is_admitted_as_the_event_that_the_bus_has(name):
    event = admit(pushed(f"pushed.{name}"), PUSHER, POINTS, NOW)

    assert event == said(name)


@pytest.mark.parametrize("form", ["rows", "columns"])
def test_a_frame_is_admitted(form):
    admitted = admit_frame(pushed(f"pushed.readings.{form}"), POINTS, NOW)

    assert (len(admitted.readings), admitted.rejected) == (2, [])


def test_the_frame_raises_the_alarm_of_the_engine():
    (crossing,) = decide(PointStates(), {"T-101": Limits(hh=120)}, said("fengsui.frame.v1").data)

    alarm = said("fengsui.alarm.v1.engine")
    assert (crossing.point, crossing.level, crossing.value) == ("T-101", alarm.data.level, alarm.data.value)


@pytest.mark.parametrize("name", ["fengsui.alarm.v1", "fengsui.alarm.v1.engine"])
def test_an_alarm_opens_a_case_and_is_counted(name):
    alarm = said(name)

    ledger = take_alarms([], [], [alarm], DEFAULTS, {})

    assert [step.kind for _, step in ledger.steps] == ["opened"]
    assert len(of_alarm(alarm)) == 1


def test_a_report_opens_a_case():
    ledger = Ledger()

    ledger.report(said("fengsui.hazard.v1"), DEFAULTS)

    assert len(ledger.cases) == 1


def test_a_case_calls_people_and_is_counted():
    event = said("fengsui.case.v1")

    board = take_events([], [], [event], Duty(), ROUTES, NOW)  # type: ignore[arg-type]

    assert isinstance(event.data.case, UUID)
    assert (list(board.calls), board.held) == ([event.data.case], {})
    assert len(of_case(event)) == 1


def test_an_answer_is_counted():
    event = said("fengsui.notification.v1")

    assert is_first_answer(event)
    assert of_answer(event).id == event.id


def test_an_enterprise_is_copied():
    told = said("fengsui.enterprise.v1")

    assert newest_enterprises([told.data]) == [told.data]
