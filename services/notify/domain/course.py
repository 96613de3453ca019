"""The course of a call: whom it reaches, when it climbs, and what an answer and an end make of it."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.domain import notification as notice
from services.notify.domain.call import Call, CallState, Decided, Steps
from services.notify.domain.duty import Duty, Nobody
from services.notify.domain.notification import Notification, Outcome
from services.notify.domain.route import ABOVE, Routes, first_tier, next_tier, time_to_answer
from shared.codes import region_at, tier_of
from shared.events.cases import CaseChanged
from shared.vocabulary import CaseKind, NotificationKind, NotificationState, Tier

ABOUT_DEADLINES: Final = frozenset({CaseKind.OVERDUE, CaseKind.ESCALATED})
_TITLES: Final = {
    CaseKind.WORSENED: "等级升高：",
    CaseKind.REPEATED: "再次报警：",
    CaseKind.OVERDUE: "已超期：",
    CaseKind.ESCALATED: "超期未处置，上报：",
}


def opened(event: CaseChanged, first_created_at: datetime, duty: Duty, routes: Routes, now: datetime) -> Decided:
    """A new call: the first tier where somebody can be told is told, and with it every system over the region."""
    data, steps = event.data, Steps()
    is_alarm = data.point is not None and data.kind not in ABOUT_DEADLINES
    own = data.tier if data.kind in ABOUT_DEADLINES else tier_of(event.region)
    call = Call(
        id=event.id,
        case=data.case,
        kind=data.kind,
        is_alarm=is_alarm,
        level=data.level,
        title=_TITLES.get(data.kind, "") + data.title,
        region=event.region,
        enterprise=event.enterprise,
        industry=event.industry,
        point=data.point,
        origin=data.event,
        occurred_at=event.time,
        opened_at=now,
        first_created_at=first_created_at,
        state=CallState.OPEN,
        tier=own,
        next_step_at=None,
        over_at=now if is_alarm and not data.in_alarm else None,
        traceparent=event.traceparent,
    )
    call = _reach(call, first_tier(routes, data.level, own), duty, routes, now, steps)
    told = {each.contact for each in call.notifications}
    for system in duty.systems_over(call.region):
        if system.contact not in told:
            call = _tell(call, tier_of(system.region), system.contact, now, steps, on_duty=False)
    return call, steps.taken


def climbed(call: Call, duty: Duty, routes: Routes, now: datetime) -> Decided:
    """The call when its tier's time has passed, or when the last of its messages there has failed."""
    if call.state is not CallState.OPEN or call.next_step_at is None or now < call.next_step_at:
        return call, []
    steps, silent = Steps(), call.live()
    above = next_tier(routes, call.level, call.tier) or (None if silent else ABOVE.get(call.tier))
    if above is None:
        return replace(call, state=CallState.EXHAUSTED, next_step_at=None), []
    for each in silent:
        call = _put(call, steps.add(NotificationKind.ESCALATED, notice.escalated(each, now)))
    return _reach(call, above, duty, routes, now, steps), steps.taken


def answered(call: Call, by: str, now: datetime, *, chosen: UUID | None = None, case_first: bool = False) -> Decided:
    """The call once somebody has answered it, by one of its notifications or by a step of the case."""
    steps = Steps()
    asked = {NotificationState.PENDING, NotificationState.SENT, NotificationState.ESCALATED} if call.waits else set()
    for each in sorted(call.notifications, key=lambda each: each.id != chosen):
        if each.id == chosen or each.state in asked:
            call = _put(call, steps.add(NotificationKind.ACKNOWLEDGED, notice.acknowledged(each, by, now), by))
    if call.waits and not steps.taken:  # nobody could be told, and somebody answers all the same: others must hear it
        last = notice.acknowledged(call.notifications[-1], by, now)
        call = _put(call, steps.add(NotificationKind.ACKNOWLEDGED, last, by))
    if case_first and steps.taken:
        steps.taken[0] = replace(steps.taken[0], case_first=True)
    if call.waits:
        state = CallState.ENDED if call.over_at else CallState.ANSWERED
        call = replace(call, state=state, next_step_at=None, answered_at=now, answered_by=by)
    return call, steps.taken


def over(call: Call, now: datetime) -> Decided:
    """The call once its alarm or its case is over; an open one goes on asking, for nobody has answered."""
    if call.over_at is not None:
        return call, []
    steps, state = Steps(), CallState.ENDED if call.state is CallState.ANSWERED else call.state
    call = replace(call, over_at=now, state=state)
    for each in call.notifications:
        call = _put(call, _end(each, now, steps))
    return call, steps.taken


def settled(call: Call, delivery: UUID, outcome: Outcome, now: datetime) -> Decided:
    """The call once a channel has answered; a tier whose last message failed is passed at once."""
    steps = Steps()
    known = next(each for each in call.notifications if any(d.id == delivery for d in each.deliveries))
    changed = notice.settled(known, delivery, outcome, now)
    call = _put(call, changed)
    before, after = (_beginning(each) for each in (known, changed))
    if after is not before and after is notice.DeliveryState.DELIVERED:
        steps.add(NotificationKind.DELIVERED, changed)
    if after is not before and after is notice.DeliveryState.FAILED:
        steps.add(NotificationKind.FAILED, changed)
        if call.state is CallState.OPEN and changed.on_duty and changed.tier is call.tier and not call.live():
            call = replace(call, next_step_at=now)
    return call, steps.taken


def _reach(call: Call, tier: Tier, duty: Duty, routes: Routes, now: datetime, steps: Steps) -> Call:
    """Tells the lowest tier from here on where somebody can be told, beyond the route's end if need be."""
    reached: Tier | None = tier
    while reached is not None:
        team = _team(call, reached, duty, now)
        if not isinstance(team, Nobody):
            call = replace(call, tier=reached, next_step_at=now + time_to_answer(routes, call.level, reached))
            for contact in team:
                call = _ask(call, reached, contact, now, steps)
            return call
        none = steps.add(NotificationKind.HELD, notice.held(call.id, reached, team, now))
        call = replace(call, tier=reached, notifications=(*call.notifications, none))
        reached = next_tier(routes, call.level, reached) or ABOVE.get(reached)
    return replace(call, state=CallState.EXHAUSTED, next_step_at=None)


def _team(call: Call, tier: Tier, duty: Duty, now: datetime) -> list[str] | Nobody:
    """Whom to ask at a tier; one whose message failed already cannot be reached."""
    team = duty.team(region_at(call.region, tier), now)
    if isinstance(team, Nobody):
        return team
    failed = {each.contact for each in call.notifications if each.state is NotificationState.FAILED}
    return [each.contact for each in team if each.contact not in failed] or Nobody.UNREACHABLE


def _ask(call: Call, tier: Tier, contact: str, now: datetime, steps: Steps) -> Call:
    """Asks one contact, who may know of the call already: from a lower tier, or as a system."""
    known = next((each for each in call.notifications if each.contact == contact), None)
    if known is None:
        return _tell(call, tier, contact, now, steps, on_duty=True)
    return _put(call, replace(known, on_duty=True, tier=tier) if known.is_live else known)


def _tell(call: Call, tier: Tier, contact: str, now: datetime, steps: Steps, *, on_duty: bool) -> Call:
    fresh = steps.add(NotificationKind.CREATED, notice.created(call.id, tier, contact, now, on_duty=on_duty))
    if call.over_at is not None:
        fresh = _end(fresh, now, steps)
    return replace(call, notifications=(*call.notifications, fresh))


def _end(known: Notification, now: datetime, steps: Steps) -> Notification:
    changed = notice.ended(known, now)
    return steps.add(NotificationKind.ENDED, changed) if len(changed.deliveries) > len(known.deliveries) else changed


def _put(call: Call, changed: Notification) -> Call:
    return replace(call, notifications=tuple(changed if each.id == changed.id else each for each in call.notifications))


def _beginning(known: Notification) -> notice.DeliveryState | None:
    return known.deliveries[0].state if known.deliveries else None
