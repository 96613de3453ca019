"""A call: whom it reaches, how it climbs, what an answer and an end make of it."""

from datetime import timedelta

from services.notify.domain.call import CallState, tell
from services.notify.domain.course import answered, climbed, opened, over, settled
from shared.vocabulary import CaseKind, Level, NotificationKind, Position, Tier
from tests.notify.world import (
    CITY,
    COUNTY,
    DELIVERED,
    FULL,
    MINUTE,
    NEVER,
    NOW,
    PROVINCE,
    ROUTES,
    call,
    case_event,
    contact,
    delivery,
    duty,
    kinds,
    messages,
    named,
    of,
    sending,
    shift,
    states,
    system,
)


def delivered(known, who):  # type: ignore[no-untyped-def]
    return settled(sending(known, who), delivery(known, who), DELIVERED, NOW)[0]


def test_a_red_alarm_calls_the_county_first() -> None:
    known, steps = opened(case_event(), NOW, FULL, ROUTES, NOW)

    assert states(known) == {"anna": "pending"}
    assert (known.state, known.tier, known.next_step_at) == (CallState.OPEN, Tier.COUNTY, NOW + 5 * MINUTE)
    assert kinds(steps) == [(NotificationKind.CREATED, "anna")]


def test_nobody_on_duty_goes_to_the_next_tier_at_once() -> None:
    known, steps = opened(case_event(), NOW, duty(shift(contact("boris", CITY))), ROUTES, NOW)

    assert states(known) == {"county": "held", "boris": "pending"}
    assert of(known, None).reason == "nobody_on_duty"
    assert known.next_step_at == NOW + 10 * MINUTE
    assert kinds(steps) == [(NotificationKind.HELD, None), (NotificationKind.CREATED, "boris")]


def test_a_contact_without_a_channel_counts_as_unreachable() -> None:
    known = call(duty(shift(contact("mute", reachable=False)), shift(contact("boris", CITY))))

    assert states(known) == {"county": "held", "boris": "pending"}
    assert of(known, None).reason == "unreachable"


def test_someone_must_know_even_beyond_the_end_of_the_route() -> None:
    known = call(duty(shift(contact("cao", PROVINCE))), level=Level.YELLOW)

    assert states(known) == {"county": "held", "city": "held", "cao": "pending"}


def test_a_call_that_nobody_can_take_is_exhausted() -> None:
    known = call(duty())

    assert states(known) == {"county": "held", "city": "held", "province": "held"}
    assert (known.state, known.next_step_at) == (CallState.EXHAUSTED, None)


def test_systems_are_told_along_but_do_not_answer_for_a_tier() -> None:
    known = call(duty(shift(contact("boris", CITY)), systems=[system("hub"), system("other", "220300")]))

    assert states(known) == {"county": "held", "boris": "pending", "hub": "pending"}
    assert known.tier is Tier.CITY


def test_a_system_on_the_roster_is_told_once_and_counts() -> None:
    hub = system("hub", COUNTY)
    known = call(duty(shift(hub), systems=[hub]))

    assert states(known) == {"hub": "pending"}
    assert of(known, "hub").on_duty


def test_a_system_that_knows_already_answers_for_its_tier_when_the_call_climbs() -> None:
    hub = system("hub", CITY)
    on_duty = duty(shift(contact("anna")), shift(hub), systems=[hub])
    known = call(on_duty)

    known, steps = climbed(known, on_duty, ROUTES, NOW + 5 * MINUTE)

    assert kinds(steps) == [(NotificationKind.ESCALATED, "anna")]
    assert states(known) == {"anna": "escalated", "hub": "pending"}
    assert known.next_step_at == NOW + 15 * MINUTE


def test_a_call_that_nobody_answers_climbs_to_the_next_tier() -> None:
    known = delivered(call(), "anna")

    known, steps = climbed(known, FULL, ROUTES, NOW + 5 * MINUTE)

    assert states(known) == {"anna": "escalated", "boris": "pending"}
    assert messages(of(known, "anna")) == {"created": "delivered", "escalated": "waiting"}
    assert kinds(steps) == [(NotificationKind.ESCALATED, "anna"), (NotificationKind.CREATED, "boris")]


def test_nothing_climbs_before_its_time() -> None:
    known = call()

    assert climbed(known, FULL, ROUTES, NOW + 5 * MINUTE - timedelta(microseconds=1)) == (known, [])


def test_after_the_last_tier_the_call_is_exhausted_and_may_still_be_answered() -> None:
    known = call()
    for minutes in (5, 15, 25):
        known, _ = climbed(known, FULL, ROUTES, NOW + minutes * MINUTE)
    assert known.state is CallState.EXHAUSTED
    assert states(known) == {"anna": "escalated", "boris": "escalated", "cao": "pending"}

    known, _ = answered(known, "zhao", NOW, chosen=of(known, "anna").id)

    assert known.state is CallState.ANSWERED
    assert set(states(known).values()) == {"acknowledged"}


def test_an_orange_call_ends_at_the_city() -> None:
    known = call(level=Level.ORANGE)

    known, _ = climbed(known, FULL, ROUTES, NOW + 10 * MINUTE)
    known, _ = climbed(known, FULL, ROUTES, NOW + 30 * MINUTE)

    assert states(known) == {"anna": "escalated", "boris": "pending"}
    assert known.state is CallState.EXHAUSTED


def test_the_last_failure_of_a_tier_makes_the_next_due_at_once() -> None:
    on_duty = duty(shift(contact("anna")), shift(contact("bert")), shift(contact("cao", PROVINCE)))
    known = call(on_duty, level=Level.YELLOW)

    known, _ = settled(sending(known, "anna"), delivery(known, "anna"), NEVER, NOW + MINUTE)
    assert known.next_step_at == NOW + 30 * MINUTE
    known, steps = settled(sending(known, "bert"), delivery(known, "bert"), NEVER, NOW + MINUTE)
    assert known.next_step_at == NOW + MINUTE
    assert kinds(steps) == [(NotificationKind.FAILED, "bert")]
    known, _ = climbed(known, on_duty, ROUTES, NOW + MINUTE)

    assert states(known) == {"anna": "failed", "bert": "failed", "city": "held", "cao": "pending"}


def test_an_answer_answers_the_whole_call() -> None:
    on_duty = duty(shift(contact("anna")), shift(contact("bert")), shift(contact("boris", CITY)))
    known = delivered(call(on_duty), "anna")

    known, steps = answered(known, "zhao", NOW + MINUTE, chosen=of(known, "bert").id, case_first=True)

    assert states(known) == {"anna": "acknowledged", "bert": "acknowledged"}
    assert messages(of(known, "anna")) == {"created": "delivered", "acknowledged": "waiting"}
    assert messages(of(known, "bert")) == {"created": "withdrawn"}
    assert [(step.notification.contact, step.by, step.case_first) for step in steps] == [
        ("bert", "zhao", True),
        ("anna", "zhao", False),
    ]
    assert climbed(known, on_duty, ROUTES, NOW + 5 * MINUTE) == (known, [])


def test_a_failed_notification_can_be_acknowledged_after_the_call_was_answered() -> None:
    on_duty = duty(shift(contact("anna")), shift(contact("bert")))
    known = call(on_duty)
    known, _ = settled(sending(known, "bert"), delivery(known, "bert"), NEVER, NOW)
    known, _ = answered(known, "zhao", NOW, chosen=of(known, "anna").id)

    known, steps = answered(known, "li", NOW, chosen=of(known, "bert").id)

    assert kinds(steps) == [(NotificationKind.ACKNOWLEDGED, "bert")]
    assert (known.answered_by, of(known, "bert").acknowledged_by) == ("zhao", "li")


def test_whoever_was_told_that_it_began_is_told_that_it_ended() -> None:
    known = delivered(call(), "anna")

    known, steps = over(known, NOW + MINUTE)

    assert kinds(steps) == [(NotificationKind.ENDED, "anna")]
    assert messages(of(known, "anna")) == {"created": "delivered", "ended": "waiting"}
    assert over(known, NOW + 2 * MINUTE) == (known, [])


def test_an_alarm_that_is_over_goes_on_asking_until_somebody_answers() -> None:
    known, _ = over(delivered(call(), "anna"), NOW + MINUTE)

    known, steps = climbed(known, FULL, ROUTES, NOW + 5 * MINUTE)

    assert (NotificationKind.CREATED, "boris") in kinds(steps)
    assert messages(of(known, "boris")) == {"created": "waiting", "ended": "behind"}
    assert answered(known, "zhao", NOW)[0].state is CallState.ENDED


def test_a_deadline_that_climbed_calls_the_tier_it_names() -> None:
    known = call(kind=CaseKind.ESCALATED, tier=Tier.CITY)

    assert states(known) == {"boris": "pending"}
    assert known.title.endswith("T-1 红色报警")
    assert known.title != "T-1 红色报警"
    assert not known.is_alarm


def test_an_alarm_that_was_over_before_we_heard_of_it_is_told_with_its_end() -> None:
    known = call(in_alarm=False)

    assert messages(of(known, "anna")) == {"created": "waiting", "ended": "behind"}


def test_a_hazard_is_over_with_its_case_only() -> None:
    known = call(point=None, in_alarm=False)

    assert not known.is_alarm
    assert messages(of(known, "anna")) == {"created": "waiting"}


def test_backups_are_asked_when_the_primaries_cannot_be_reached() -> None:
    known = call(duty(shift(contact("mute", reachable=False)), shift(contact("cora"), position=Position.BACKUP)))

    assert states(known) == {"cora": "pending"}


def test_others_hear_what_the_contract_promises() -> None:
    known, steps = opened(case_event(name="push-1"), NOW - MINUTE, FULL, ROUTES, NOW)

    event = tell(known, steps[0], NOW)

    assert (event.region, event.enterprise, event.time) == (COUNTY, known.enterprise, NOW)
    assert event.data.event is not None
    assert (event.data.event.id, event.data.contact, event.data.tier) == ("push-1", "anna", Tier.COUNTY)
    assert (event.data.first_created_at, event.data.call) == (NOW - MINUTE, named("push-1"))
    assert tell(known, steps[0], NOW + MINUTE).id == event.id
