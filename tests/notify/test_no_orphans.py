"""Any order of answers, steps, ends and calls of the channel: everyone hears the beginning before the end, once."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.call import Call, CallState, Step
from services.notify.domain.course import answered, climbed, opened, over, settled
from services.notify.domain.notification import Delivery, DeliveryState, Message
from shared.vocabulary import Level, NotificationKind
from tests.notify.world import (
    AGAIN,
    CITY,
    DELIVERED,
    MINUTE,
    NEVER,
    NOW,
    PROVINCE,
    ROUTES,
    case_event,
    contact,
    duty,
    shift,
    system,
)

PEOPLE = [
    shift(contact("anna")),
    shift(contact("bert")),
    shift(contact("mute", CITY, reachable=False)),
    shift(contact("boris", CITY)),
    shift(contact("cao", PROVINCE)),
    shift(system("hub", CITY)),
    shift(contact("anna"), PROVINCE),
]
OUTCOMES = {"deliver": DELIVERED, "fail": AGAIN, "refuse": NEVER}


@dataclass
class Night:
    """One call through a night, with what its contacts heard in order."""

    call: Call
    now: datetime = NOW
    steps: list[Step] = field(default_factory=list)
    heard: dict[UUID, list[Message]] = field(default_factory=dict)
    begun_after_answer: list[Message] = field(default_factory=list)

    def decide(self, decided: tuple[Call, list[Step]]) -> None:
        self.call, steps = decided
        self.steps += steps

    def waiting(self, state: DeliveryState) -> list[Delivery]:
        return [d for n in self.call.notifications for d in n.deliveries if d.state is state]

    def begin(self, which: int) -> None:
        """The sender takes one message that waits."""
        found = self.waiting(DeliveryState.WAITING)
        if not found:
            return
        chosen = found[which % len(found)]
        if self.call.answered_at:
            self.begun_after_answer.append(chosen.message)
        under_way = replace(chosen, state=DeliveryState.SENDING, tries=chosen.tries + 1)
        self.call = replace(
            self.call,
            notifications=tuple(
                replace(n, deliveries=tuple(under_way if d.id == chosen.id else d for d in n.deliveries))
                for n in self.call.notifications
            ),
        )

    def settle(self, which: int, outcome: str) -> None:
        """The channel answers for one message under way."""
        found = self.waiting(DeliveryState.SENDING)
        if not found:
            return
        chosen = found[which % len(found)]
        if outcome == "deliver":
            owner = next(n for n in self.call.notifications if any(d.id == chosen.id for d in n.deliveries))
            self.heard.setdefault(owner.id, []).append(chosen.message)
        self.decide(settled(self.call, chosen.id, OUTCOMES[outcome], self.now))


COMMON = ["begin", "deliver", "begin", "deliver", "begin", "climb", "clear", "answer"]
RARE = ["climb", "begin", "deliver", "fail", "refuse", "accept", "answer"]


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What happens in a night, in any order."""
    rare = draw(st.lists(st.sampled_from(RARE), max_size=8))
    return [(move, draw(st.integers(0, 3))) for move in draw(st.permutations(COMMON + rare))]


def play(level: Level, people: list[int], script: list[tuple[str, int]]) -> Night:
    on_duty = duty(*(PEOPLE[each] for each in sorted(set(people))), systems=[system("hub", CITY)])
    event = case_event(level=level)
    call, steps = opened(event, NOW, on_duty, ROUTES, NOW)
    night = Night(call, steps=list(steps))
    for move, which in script:
        night.now += MINUTE / 60
        if move == "begin":
            night.begin(which)
        elif move in OUTCOMES:
            night.settle(which, move)
        elif move == "climb":
            night.now = max(night.now, night.call.next_step_at or night.now)
            night.decide(climbed(night.call, on_duty, ROUTES, night.now))
        elif move == "answer":
            asked = [n for n in night.call.notifications if n.can_be_acknowledged and n.acknowledged_at is None]
            if asked:
                night.decide(answered(night.call, "zhao", night.now, chosen=asked[which % len(asked)].id))
        elif move == "clear":
            night.decide(over(night.call, night.now))
        else:
            if night.call.waits:
                night.decide(answered(night.call, "zhao", night.now))
            night.decide(over(night.call, night.now))
    return night


def finish(night: Night) -> None:
    """The alarm is over at last, and every message that still may go arrives."""
    night.decide(over(night.call, night.now + timedelta(hours=1)))
    while night.waiting(DeliveryState.WAITING) or night.waiting(DeliveryState.SENDING):
        night.begin(0)
        night.settle(0, "deliver")


levels, crews = st.sampled_from(Level), st.lists(st.integers(0, len(PEOPLE) - 1), max_size=7)


@settings(max_examples=200, deadline=None)
@given(levels, crews, scripts())
def test_whoever_heard_that_it_began_hears_once_that_it_ended(
    level: Level, people: list[int], script: list[tuple[str, int]]
) -> None:
    night = play(level, people, script)

    finish(night)

    refused = {n.id for n in night.call.notifications for d in n.deliveries if d.state is DeliveryState.FAILED}
    for heard in night.heard.values():
        assert heard[0] is Message.CREATED
        assert len(heard) == len(set(heard))
    for known in night.call.notifications:
        heard = night.heard.get(known.id, [])
        assert (Message.ENDED in heard) == bool(heard) or known.id in refused
    assert not night.waiting(DeliveryState.BEHIND)


@settings(max_examples=200, deadline=None)
@given(levels, crews, scripts())
def test_nothing_that_calls_is_sent_once_somebody_answered(
    level: Level, people: list[int], script: list[tuple[str, int]]
) -> None:
    night = play(level, people, script)

    assert not {Message.CREATED, Message.ESCALATED} & set(night.begun_after_answer)


@settings(max_examples=200, deadline=None)
@given(levels, crews, scripts())
def test_each_contact_has_one_notification_and_each_kind_of_step_once(
    level: Level, people: list[int], script: list[tuple[str, int]]
) -> None:
    night = play(level, people, script)

    contacts = [n.contact for n in night.call.notifications if n.contact]
    steps = [(step.notification.id, step.kind) for step in night.steps]
    assert len(contacts) == len(set(contacts))
    assert len(steps) == len(set(steps))


@settings(max_examples=200, deadline=None)
@given(levels, crews, scripts())
def test_a_call_rests_only_when_answered_or_when_nobody_is_left(
    level: Level, people: list[int], script: list[tuple[str, int]]
) -> None:
    night = play(level, people, script)

    assert (night.call.state is CallState.OPEN) == (night.call.next_step_at is not None)
    assert night.call.waits == (night.call.answered_at is None)
    tiers = [step.notification.tier for step in night.steps if step.kind is NotificationKind.HELD]
    assert all(low != high for low, high in pairwise(tiers))
