"""Fault points do what FENGSUI_FAULTS says, and nothing when it says nothing."""

import time

import pytest

from shared import faults


def set_rules(monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    monkeypatch.setattr(faults, "_rules", faults._parse(spec))


def test_without_rules_a_point_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(monkeypatch, "")

    for name in faults.POINTS:
        faults.point(name)


def test_a_rule_without_a_number_is_due_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(monkeypatch, "relay.after_ack=raise")

    for _ in range(3):
        with pytest.raises(faults.Injected, match=r"relay\.after_ack"):
            faults.point("relay.after_ack")


def test_the_nth_passing_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(monkeypatch, "consumer.after_fetch=raise#2")
    faults.point("consumer.after_fetch")

    with pytest.raises(faults.Injected):
        faults.point("consumer.after_fetch")

    faults.point("consumer.after_fetch")


def test_a_share_of_zero_is_never_due_and_one_always(monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(monkeypatch, "consumer.before_commit=raise%0,consumer.after_commit=raise%1")

    for _ in range(50):
        faults.point("consumer.before_commit")
        with pytest.raises(faults.Injected):
            faults.point("consumer.after_commit")


def test_a_point_may_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    set_rules(monkeypatch, "timer.before_commit=sleep0.05")
    began = time.monotonic()

    faults.point("timer.before_commit")

    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    "spec", ["nowhere=raise", "relay.after_ack", "relay.after_ack=explode", "relay.after_ack=raise#x", "=raise"]
)
def test_a_wrong_rule_ends_the_process_and_is_named(spec: str) -> None:
    with pytest.raises(SystemExit, match="FENGSUI_FAULTS: ") as refused:
        faults._parse(f"consumer.after_fetch=raise#1,{spec}")

    assert repr(spec) in str(refused.value)
