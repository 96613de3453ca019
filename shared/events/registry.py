"""The registry on the bus: copies of enterprises and points for who needs them."""

from typing import Literal

from shared.events.event import Event, Value


class EnterpriseData(Value):
    """One enterprise as it stands in version `version`."""

    uscc: str
    name: str
    region: str
    industry: str
    address: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    version: int


class EnterpriseRegistered(Event):
    """The newest state of an enterprise; an older version is ignored."""

    type: Literal["fengsui.enterprise.v1"] = "fengsui.enterprise.v1"
    data: EnterpriseData


class PointData(Value):
    """One monitoring point (监测点) as it stands in version `version`."""

    uscc: str
    point: str
    name: str
    risk_unit: str | None = None
    quantity: str | None = None
    uom: str | None = None
    ll: float | None = None
    l: float | None = None  # noqa: E741 - the field's own name for its low limit
    h: float | None = None
    hh: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    version: int


class PointRegistered(Event):
    """The newest state of a point; an older version is ignored."""

    type: Literal["fengsui.point.v1"] = "fengsui.point.v1"
    data: PointData
