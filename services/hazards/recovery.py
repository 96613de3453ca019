"""After a restore every case takes again, each at its version, what people and deadlines had made of it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.hazards import store
from services.hazards.domain.case import Case
from services.hazards.domain.recall import Recalled, by_version
from shared import recovery
from shared.database import Connection
from shared.events.alarms import Alarm
from shared.events.event import derived_id
from shared.events.hazards import HazardReport
from shared.events.notifications import NotificationChanged
from shared.topics import CASES


async def told_of(db: Connection, signs: Sequence[Alarm | HazardReport], known: Iterable[Case] = ()) -> Recalled:
    """What was told after the backup of the cases that these signs may open or join; nothing in ordinary times."""
    if not await recovery.under_way(db):
        return {}
    return await recalled(db, [case.id for case in known] + [derived_id(sign.id, "opened") for sign in signs])


async def answer_later(db: Connection, answers: Sequence[NotificationChanged]) -> None:
    """Answers may be read again before the alarms that they are for."""
    if await recovery.under_way(db):
        await recovery.set_aside(db, [(answer.id, answer.data.case, answer.wire()) for answer in answers])


async def recalled(db: Connection, cases: Iterable[UUID]) -> Recalled:
    """What was told after the backup of some cases."""
    return by_version(CASES.reader.validate_json(body) for body in await store.recalled_steps(db, cases))
