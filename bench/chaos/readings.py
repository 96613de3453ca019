"""The alarms that the acknowledged readings must raise: the engine's own rules, run once more without any fault."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from bench.chaos.world import LIMITS
from services.ingest.domain.engine import PointStates, alarm_id, decide
from services.ingest.domain.limits import Limits
from shared.events.alarms import ENGINE
from shared.events.event import event_id, microseconds
from shared.events.readings import FrameData
from shared.vocabulary import AlarmState, Level

_LIMITS = Limits(LIMITS["ll"], LIMITS["l"], LIMITS["h"], LIMITS["hh"], LIMITS["deadband"])


def expected_alarms(file: Path) -> Iterator[tuple[UUID, bool, bool]]:
    """Each alarm's id, whether it raises, and whether it is red; the file holds each enterprise's frames in order."""
    states: dict[str, PointStates] = {}
    with file.open("rb") as lines:
        for line in lines:
            given = orjson.loads(line)
            points, at = tuple(given["points"]), microseconds(datetime.fromisoformat(given["time"]))
            count = len(points)
            frame = FrameData(points=points, times=(at,) * count, values=tuple(given["values"]), good=(True,) * count)
            state = states.setdefault(given["enterprise"], PointStates())
            for crossing in decide(state, dict.fromkeys(points, _LIMITS), frame):
                name = alarm_id(crossing.point, crossing.limit, crossing.at, crossing.state)
                raised = crossing.state is AlarmState.RAISED
                yield event_id(given["enterprise"], ENGINE, name), raised, crossing.level is Level.RED
