"""What ingest counts."""

from prometheus_client import Counter, Gauge, Histogram

from services.ingest import store
from shared.database import Connection
from shared.vocabulary import AlarmState, Level

DOOR_OUTCOMES = ("accepted", "duplicate", "rejected", "unknown")
DOOR_ITEMS = Counter("fengsui_door_items", "Items pushed, by verdict", ["kind", "outcome"])
DOOR_REQUESTS = Counter("fengsui_door_requests", "Requests at the door", ["path", "status"])
DOOR_SECONDS = Histogram(
    "fengsui_door_seconds",
    "Time to answer at the door",
    ["path"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DOOR_REMEMBERED = Gauge("fengsui_door_remembered", "Identities that the door remembers")
READINGS = Counter("fengsui_engine_readings", "Readings that the alarm engine judged")
ENGINE_ALARMS = Counter("fengsui_engine_alarms", "Alarms that the engine raised and cleared", ["level", "state"])
SOURCES_EXPECTED = Gauge("fengsui_sources_expected", "Sources that promised to speak at an interval")
SOURCES_SILENT = Gauge("fengsui_sources_silent", "Of those, silent for three of their own intervals")

PATHS = ("events", "readings")
STATUSES = ("200", "202", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503")
for _path in PATHS:
    DOOR_SECONDS.labels(_path)
    for _status in STATUSES:
        DOOR_REQUESTS.labels(_path, _status)
for _kind in ("alarm", "hazard", "heartbeat", "reading", "other"):
    for _outcome in DOOR_OUTCOMES:
        DOOR_ITEMS.labels(_kind, _outcome)
for _level in Level:
    for _state in AlarmState:
        ENGINE_ALARMS.labels(_level.value, _state.value)


async def look(db: Connection) -> None:
    """Shows how many sources have fallen silent."""
    row = await db.fetchrow(store.COUNT_SOURCES)
    assert row is not None
    SOURCES_EXPECTED.set(row["expected"])
    SOURCES_SILENT.set(row["silent"])
