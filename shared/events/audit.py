"""Anchors of the audit trail: where a service's chain stood, said outside of its database."""

from typing import Literal

from shared.events.event import Event, Value


class Head(Value):
    """The newest row of a service's chain; `hash` in hex."""

    service: str
    seq: int
    hash: str


class ChainHead(Event):
    """`time` is when it was looked at; it belongs to no enterprise."""

    type: Literal["fengsui.audit.v1"] = "fengsui.audit.v1"
    enterprise: str = ""
    industry: str = ""
    data: Head
