"""A notification's messages: in order, none after the answer, and no end without a beginning."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import notification as notice
from services.notify.domain.notification import MOST_TRIES, DeliveryState, Message, Notification, Outcome, Result, pause
from shared.vocabulary import NotificationState, Tier
from tests.notify.world import AGAIN, DELIVERED, NEVER, NOW, messages, named


def fresh() -> Notification:
    return notice.created(named("call"), Tier.COUNTY, "anna", NOW, on_duty=True)


def under_way(known: Notification, message: Message = Message.CREATED, tries: int = 1) -> Notification:
    deliveries = tuple(
        replace(each, state=DeliveryState.SENDING, tries=tries) if each.message is message else each
        for each in known.deliveries
    )
    return replace(known, deliveries=deliveries)


def name_of(known: Notification, message: Message = Message.CREATED) -> UUID:
    return next(each.id for each in known.deliveries if each.message is message)


def after(known: Notification, outcome: Outcome, message: Message = Message.CREATED) -> Notification:
    return notice.settled(known, name_of(known, message), outcome, NOW)


def test_a_delivered_first_message_makes_it_sent() -> None:
    sent = after(under_way(fresh()), DELIVERED)

    assert sent.state is NotificationState.SENT
    assert messages(sent) == {"created": "delivered"}


def test_a_final_refusal_makes_it_failed() -> None:
    failed = after(under_way(fresh()), NEVER)

    assert failed.state is NotificationState.FAILED


def test_no_answer_is_tried_again_later() -> None:
    waiting = after(under_way(fresh()), AGAIN)

    assert waiting.state is NotificationState.PENDING
    assert messages(waiting) == {"created": "waiting"}
    assert timedelta(seconds=0.75) <= waiting.deliveries[0].due_at - NOW <= timedelta(seconds=1.25)


def test_the_twentieth_failure_is_the_last() -> None:
    assert after(under_way(fresh(), tries=MOST_TRIES - 1), AGAIN).state is NotificationState.PENDING
    assert after(under_way(fresh(), tries=MOST_TRIES), AGAIN).state is NotificationState.FAILED


def test_a_later_message_waits_for_the_first() -> None:
    ended = notice.ended(fresh(), NOW)

    assert messages(ended) == {"created": "waiting", "ended": "behind"}
    assert messages(after(under_way(ended), DELIVERED)) == {"created": "delivered", "ended": "waiting"}


def test_who_was_never_told_that_it_began_is_not_told_that_it_ended() -> None:
    before = notice.ended(after(under_way(fresh()), NEVER), NOW)
    behind = after(under_way(notice.ended(fresh(), NOW)), NEVER)

    assert messages(before) == {"created": "failed"}
    assert messages(behind) == {"created": "failed", "ended": "withdrawn"}


def test_an_answer_withdraws_what_was_not_sent() -> None:
    answered = notice.acknowledged(notice.ended(fresh(), NOW), "wang", NOW)

    assert answered.state is NotificationState.ACKNOWLEDGED
    assert messages(answered) == {"created": "withdrawn", "ended": "withdrawn"}


def test_an_answer_while_the_first_message_is_under_way_is_told_after_it() -> None:
    answered = notice.acknowledged(under_way(fresh()), "wang", NOW)

    assert messages(answered) == {"created": "sending", "acknowledged": "behind"}
    assert messages(after(answered, DELIVERED)) == {"created": "delivered", "acknowledged": "waiting"}
    assert messages(after(answered, AGAIN)) == {"created": "withdrawn", "acknowledged": "withdrawn"}


def test_an_answer_takes_back_an_escalation_that_waits() -> None:
    told = notice.escalated(after(under_way(fresh()), DELIVERED), NOW)
    over = notice.ended(told, NOW)

    answered = notice.acknowledged(over, "wang", NOW)

    assert messages(over) == {"created": "delivered", "escalated": "waiting", "ended": "behind"}
    assert messages(answered) == {
        "created": "delivered",
        "escalated": "withdrawn",
        "ended": "waiting",
        "acknowledged": "behind",
    }


def test_it_ends_once() -> None:
    ended = notice.ended(fresh(), NOW)

    assert notice.ended(ended, NOW) is ended


def test_a_message_is_named_by_its_notification_and_type() -> None:
    known = notice.ended(fresh(), NOW)

    assert len({each.id for each in known.deliveries}) == 2
    assert [each.id for each in notice.ended(fresh(), NOW).deliveries] == [each.id for each in known.deliveries]


@given(st.uuids(), st.integers(1, MOST_TRIES))
def test_pauses_double_from_one_to_sixty_seconds_give_or_take_a_quarter(name: UUID, tries: int) -> None:
    plain = min(2.0 ** (tries - 1), 60.0)

    assert plain * 0.75 <= pause(name, tries, AGAIN) <= plain * 1.25


@pytest.mark.parametrize(("asked", "least"), [(0.0, 0.75), (30.0, 30.0)])
def test_a_receiver_may_ask_for_a_longer_pause(asked: float, least: float) -> None:
    assert pause(named("delivery"), 1, Outcome(Result.RETRY, "429", asked)) >= least
