"""What ingest hears: its own readings, which the alarm engine judges, and signs of life."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.ingest import metrics, store
from services.ingest.domain.admission import Pusher, digest
from services.ingest.domain.engine import Crossing, alarm_id, decide
from services.ingest.domain.recent import Reading, Recent
from services.ingest.known import Known
from shared import outbox
from shared.consumer import takes
from shared.database import Connection
from shared.events import alarms as wire
from shared.events.alarms import ENGINE, Alarm, AlarmData
from shared.events.event import event_id
from shared.events.readings import Frame, Heartbeat
from shared.topics import ALARMS, READINGS
from shared.vocabulary import AlarmState

LIMIT_ZH: Final = {"LL": "低低报", "L": "低报", "H": "高报", "HH": "高高报"}
KNOWN: Final = Known()
RECENT: Final = Recent()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@takes(READINGS)
async def raise_and_clear_alarms(db: Connection, events: Sequence[Frame | Heartbeat]) -> None:
    """Readings move their points' limits; what they raise or clear goes out as alarms of the engine."""
    await _hear(db, events)
    frames = [event for event in events if isinstance(event, Frame)]
    if not frames:
        return
    points: dict[str, set[str]] = {}
    for frame in frames:
        points.setdefault(frame.enterprise, set()).update(frame.data.points)
    limits, states = await KNOWN.limits_of(db, points), await KNOWN.states_of(db, points)
    crossed: list[tuple[Frame, Crossing, Sequence[Reading]]] = []
    for frame in frames:
        code, own = frame.enterprise, limits.get(frame.enterprise, {})
        for crossing in decide(states[code], own, frame.data):
            crossed.append((frame, crossing, RECENT.until(code, crossing.point, crossing.at, frame.data)))
        RECENT.hear(code, own, frame.data)
    await store.save_states(db, states)
    alarms = await _alarms_of(db, crossed) if crossed else []
    await outbox.put(db, ALARMS, alarms)
    metrics.READINGS.inc(sum(len(frame.data.points) for frame in frames))
    for alarm in alarms:
        metrics.ENGINE_ALARMS.labels(alarm.data.level.value, alarm.data.state.value).inc()


async def _alarms_of(db: Connection, crossed: Sequence[tuple[Frame, Crossing, Sequence[Reading]]]) -> list[Alarm]:
    owners = await store.pushers(db, (frame.enterprise for frame, _, _ in crossed))
    names = await store.names(db, {(frame.enterprise, crossing.point) for frame, crossing, _ in crossed})
    return [
        alarm_of(crossing, owners[frame.enterprise], names.get((frame.enterprise, crossing.point), ""), frame, shown)
        for frame, crossing, shown in crossed
    ]


def alarm_of(crossing: Crossing, owner: Pusher, name: str, frame: Frame, shown: Sequence[Reading] = ()) -> Alarm:
    """The event of a crossing; it is named by the reading that decided it, so a replay names it again.

    `shown` is what the point read until then; it is no part of the digest, for a replay may remember less."""
    pushed = alarm_id(crossing.point, crossing.limit, crossing.at, crossing.state)
    at = _moment(crossing.at)
    what = LIMIT_ZH[crossing.limit] + ("" if crossing.state is AlarmState.RAISED else "恢复")
    data = AlarmData(
        point=crossing.point,
        level=crossing.level,
        state=crossing.state,
        value=crossing.value,
        limit=crossing.limit_value,
        message=f"{name} {what}".strip(),
        readings=_readings(shown) if shown and crossing.state is AlarmState.RAISED else None,
    )
    return Alarm(
        id=event_id(owner.uscc, ENGINE, pushed),
        source=ENGINE,
        pushid=pushed,
        time=at,
        enterprise=owner.uscc,
        enterprise_name=owner.name,
        region=owner.region,
        industry=owner.industry,
        digest=digest("fengsui.alarm.v1", at, data.model_dump(exclude={"message", "limit", "readings"})),
        accepted=frame.accepted,
        traceparent=frame.traceparent,
        data=data,
    )


def _readings(shown: Sequence[Reading]) -> tuple[wire.Reading, ...]:
    return tuple(wire.Reading(time=_moment(at), value=value) for at, value in shown)


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


async def _hear(db: Connection, events: Sequence[Frame | Heartbeat]) -> None:
    heard: dict[tuple[str, str], tuple[datetime, int | None]] = {}
    for event in events:
        interval = event.data.interval_s if isinstance(event, Heartbeat) else None
        at = event.accepted or event.time
        earlier = heard.get((event.enterprise, event.source))
        if earlier is None or at >= earlier[0]:
            heard[event.enterprise, event.source] = at, interval
    await store.hear(db, heard)
