"""A small province for tests: its contacts, its duty, and what happens to its cases."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.notify.domain.call import Call, Step
from services.notify.domain.course import opened
from services.notify.domain.duty import Contact, Duty, Shift
from services.notify.domain.notification import DeliveryState, Notification, Outcome, Result
from services.notify.domain.route import Routes
from shared.codes import tier_of
from shared.events.cases import CaseChanged, CaseData
from shared.events.event import NAMESPACE, Origin
from shared.vocabulary import CaseKind, CaseState, ContactRole, Level, NotificationKind, Position, Tier

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
COUNTY, CITY, PROVINCE = "220203", "220200", "220000"
MINUTE = timedelta(minutes=1)
ENTERPRISE = "91220203MA00000017"

ROUTES: Routes = {
    Level.RED: {Tier.COUNTY: 5 * MINUTE, Tier.CITY: 10 * MINUTE, Tier.PROVINCE: 10 * MINUTE},
    Level.ORANGE: {Tier.COUNTY: 10 * MINUTE, Tier.CITY: 20 * MINUTE},
    Level.YELLOW: {Tier.COUNTY: 30 * MINUTE},
    Level.BLUE: {Tier.COUNTY: 120 * MINUTE},
}

DELIVERED = Outcome(Result.DELIVERED, "204")
AGAIN = Outcome(Result.RETRY, "503")
NEVER = Outcome(Result.FAILED, "410")


def contact(
    name: str, region: str = COUNTY, role: ContactRole = ContactRole.OFFICER, reachable: bool = True
) -> Contact:
    return Contact(name, name.title(), region, role, reachable)


def system(name: str, region: str = PROVINCE) -> Contact:
    return contact(name, region, ContactRole.SYSTEM)


def shift(who: Contact, region: str | None = None, position: Position = Position.PRIMARY) -> Shift:
    return Shift(region or who.region, who, position, NOW - 12 * MINUTE * 60, NOW + 12 * MINUTE * 60)


def duty(*shifts: Shift, systems: Iterable[Contact] = ()) -> Duty:
    return Duty(shifts, tuple(systems))


FULL = duty(shift(contact("anna")), shift(contact("boris", CITY)), shift(contact("cao", PROVINCE)))


def named(name: str) -> UUID:
    return uuid5(NAMESPACE, name)


def case_event(kind: CaseKind = CaseKind.OPENED, name: str = "", case: str = "case", **data: Any) -> CaseChanged:
    region = data.pop("region", COUNTY)
    return CaseChanged(
        id=named(name or f"{case}/{kind}"),
        source="//fengsui/hazards",
        time=data.pop("time", NOW),
        enterprise=data.pop("enterprise", ENTERPRISE),
        region=region,
        industry="petrochemical",
        data=CaseData(
            **{
                "case": named(case),
                "version": 1,
                "kind": kind,
                "by": "wang",
                "event": Origin(source="//test/dcs", id=name or f"{case}-{kind}"),
                "title": "T-1 红色报警",
                "enterprise_name": "测试企业",
                "point": "T-1",
                "state": CaseState.REPORTED,
                "level": Level.RED,
                "tier": tier_of(region),
                "opened_at": NOW,
                "occurrences": 1,
                "in_alarm": True,
            }
            | data
        ),
    )


def call(on_duty: Duty = FULL, **data: Any) -> Call:
    return opened(case_event(**data), NOW, on_duty, ROUTES, NOW)[0]


def of(call: Call, who: str | None) -> Notification:
    return next(each for each in call.notifications if each.contact == who)


def states(call: Call) -> dict[str | None, str]:
    """State by contact; a held one stands under its tier."""
    return {each.contact or each.tier: each.state.value for each in call.notifications}


def messages(notification: Notification) -> dict[str, str]:
    """State by message."""
    return {each.message.value: each.state.value for each in notification.deliveries}


def kinds(steps: Iterable[Step]) -> list[tuple[NotificationKind, str | None]]:
    return [(step.kind, step.notification.contact) for step in steps]


def sending(call: Call, who: str, message: str = "created") -> Call:
    """The call while a message is under way, as the sender leaves it."""
    from dataclasses import replace

    target = of(call, who)
    under_way = tuple(
        replace(each, state=DeliveryState.SENDING, tries=each.tries + 1) if each.message == message else each
        for each in target.deliveries
    )
    changed = replace(target, deliveries=under_way)
    return replace(call, notifications=tuple(changed if each is target else each for each in call.notifications))


def delivery(call: Call, who: str, message: str = "created") -> UUID:
    return next(each.id for each in of(call, who).deliveries if each.message == message)
