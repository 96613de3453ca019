"""A hazard report (隐患): something wrong that a person or a system found."""

from typing import Literal

from shared.events.event import Event, Value
from shared.vocabulary import Category, Grade


class Attachment(Value):
    """A file by reference: photos are too large for the bus."""

    url: str
    sha256: str


class HazardData(Value):
    """What was found, where and by whom."""

    title: str
    description: str | None = None
    unit: str | None = None
    category: Category
    grade: Grade | None = None
    criterion: str | None = None
    found_by: str | None = None
    location: str | None = None
    attachments: tuple[Attachment, ...] = ()


class HazardReport(Event):
    """Every report opens a case of its own."""

    type: Literal["fengsui.hazard.v1"] = "fengsui.hazard.v1"
    enterprise_name: str = ""
    data: HazardData
