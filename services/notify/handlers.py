"""What notify hears: everything that happens to a case."""

from collections.abc import Sequence

from services.notify import metrics, recovery
from services.notify.domain.calls import calls_people, take_events
from services.notify.store import calls as store
from services.notify.store.duty import duty, routes
from services.notify.telling import keep
from shared.consumer import Held, takes
from shared.database import Connection
from shared.events.cases import CaseChanged
from shared.topics import CASES


@takes(CASES)
async def call_people(db: Connection, events: Sequence[CaseChanged]) -> Held:
    """What begins or grows worse calls the people on duty; answers and ends reach whoever was told."""
    cases, calling = {event.data.case for event in events}, [event for event in events if calls_people(event)]
    now = await store.now(db)
    told = await store.told_cases(db, cases, (event.data.case for event in calling))
    told = await recovery.remembered(db, told)
    known = await store.calls_of_cases(db, cases)
    on_duty = await duty(db, {event.region for event in calling}, now)
    board = take_events(told, known.values(), events, on_duty, await routes(db), now)
    await store.answer_cases(db, (case.case for case in board.cases.values() if case.answered_at == now))
    await keep(db, known, list(board.changed.values()), board.steps, now)
    metrics.time_to_notification(calling, now)
    return board.held
