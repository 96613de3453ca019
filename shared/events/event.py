"""What every event on the bus has: an identity that a replay makes again, and its origin."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

NAMESPACE = UUID("a0b5f7a4-5c1e-5f0e-9b1a-7e2f6c9d4e21")  # ours; changing it makes every event new

Moment = Annotated[AwareDatetime, Field(description="RFC 3339 with offset")]


class Value(BaseModel):
    """A frozen value on the wire; readers ignore what a newer writer adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Origin(Value):
    """The push that began it: the names the enterprise gave."""

    source: str
    id: str


class Event(Value):
    """One CloudEvent. `id` is made by `event_id` or `derived_id`, never at random."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    enterprise: str = Field(description="unified social credit code")
    region: str
    industry: str
    traceparent: str | None = None
    pushid: str | None = Field(None, description="the id that the enterprise gave, when it was pushed")
    digest: str | None = Field(None, description="hex digest of what was pushed; the same id must keep it")
    accepted: Moment | None = Field(None, description="when the door took it")

    def wire(self) -> bytes:
        """The record's value."""
        return self.model_dump_json(exclude_none=True).encode()


def event_id(enterprise: str, source: str, pushed: str) -> UUID:
    """The id of a pushed event: the same push by any door is the same event."""
    return uuid5(NAMESPACE, f"{enterprise}\n{source}\n{pushed}")


def origin_id(source: str, pushed: str) -> UUID:
    """A short name of (source, id), by which reconcile finds an event without its enterprise."""
    return uuid5(NAMESPACE, f"\n{source}\n{pushed}")


def derived_id(cause: UUID, kind: str, ordinal: int | str = 0) -> UUID:
    """The id of what follows from `cause`: never of content, clock or batch, so a replay makes it again."""
    return uuid5(cause, f"{kind}/{ordinal}")


def microseconds(moment: datetime) -> int:
    """Unix microseconds of a moment, exactly."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond
