"""Named fault points: seams where a test lets the process raise, sleep or die; off in production."""

import os
import random
import re
import signal
import time
from dataclasses import dataclass, field

POINTS = frozenset(
    {
        "door.before_send",
        "door.before_answer",
        "consumer.after_fetch",
        "consumer.in_transaction",
        "consumer.before_commit",
        "consumer.after_commit",
        "consumer.in_listener",
        "relay.before_send",
        "relay.after_ack",
        "relay.after_mark",
        "timer.before_commit",
        "attempt.before_call",
        "attempt.after_answer",
    }
)
_RULE = re.compile(r"^(?P<point>[a-z._]+)=(?P<action>raise|kill|sleep[0-9.]+)(?:#(?P<nth>\d+)|%(?P<share>[0-9.]+))?$")


class Injected(Exception):
    """A fault that a test asked for."""


@dataclass
class _Rule:
    action: str
    nth: int | None
    share: float
    passed: int = field(default=0)

    def due(self) -> bool:
        self.passed += 1
        if self.nth is not None:
            return self.passed == self.nth
        return _random.random() < self.share


def _parse(spec: str) -> dict[str, _Rule]:
    """`point=action[#n|%share],…`: at the nth passing, or in that share of them; always when neither."""
    rules = {}
    for part in filter(None, spec.split(",")):
        match = _RULE.match(part.strip())
        if match is None or match["point"] not in POINTS:
            raise SystemExit(f"FENGSUI_FAULTS: {part!r} is not POINT=raise|kill|sleepN[#n|%share]")
        nth = int(match["nth"]) if match["nth"] else None
        rules[match["point"]] = _Rule(match["action"], nth, float(match["share"] or 1))
    return rules


_random = random.Random(os.environ.get("FENGSUI_FAULTS_SEED", "0"))
_rules = _parse(os.environ.get("FENGSUI_FAULTS", ""))


def point(name: str) -> None:
    """Stands at a seam; does nothing unless FENGSUI_FAULTS names it."""
    if _rules and (rule := _rules.get(name)) and rule.due():
        if rule.action == "raise":
            raise Injected(name)
        if rule.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(rule.action.removeprefix("sleep")))
