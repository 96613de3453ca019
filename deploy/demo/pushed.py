"""What the enterprises say themselves: gas alarms, hazards, heartbeats; the same ids for the same moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from deploy.demo.faults import silent
from deploy.demo.province import Enterprise, point_of
from deploy.demo.signals import chance, rfc3339
from shared.vocabulary import AlarmState, Level

CloudEvent = dict[str, Any]

DETECTOR: Final = "demo/gas-detection"
PATROL: Final = "demo/patrol"
GATEWAY: Final = "demo/gateway"

HEARTBEAT_S: Final = 60
PATROL_S: Final = 420
PATROLLED_BY: Final = "dehui-corn"
_FIRST_PATROL_S: Final = 75


@dataclass(frozen=True, slots=True)
class Leak:
    """A gas alarm that the enterprise's own detection system raises and clears, on a point without limits of ours.

    `start` and `period` in seconds as for a fault; `value` and `limit` in the point's unit (limits: GB/T 50493).
    """

    enterprise: str
    point: str
    level: Level
    start: int
    period: int
    lasts: int
    value: float
    limit: float


LEAKS: Final = (
    Leak("longtan-acrylonitrile", "GD-903", Level.RED, 45, 3000, 240, value=56.5, limit=50),
    Leak("erdaojiang-steel", "GD-906", Level.ORANGE, 1080, 4200, 300, value=33, limit=20),
    Leak("dunhua-pharma", "GD-903", Level.YELLOW, 510, 2400, 180, value=29, limit=25),
)

# Title, category, where.
_FINDINGS: Final = (
    ("除尘器泄爆片锈蚀,未按期更换", "equipment", "玉米粉碎车间"),
    ("疏散通道堆放包装袋,净宽不足", "fire", "成品库东侧"),
    ("配电柜未设漏电保护,接线裸露", "electrical", "烘干工段"),
    ("安全阀校验标签过期", "equipment", "蒸汽分汽缸"),
    ("可燃气体探测器防爆格兰松动", "instrument", "酒精罐区"),
    ("有限空间作业票缺少监护人签字", "safety", "污水站调节池"),
    ("提升机皮带跑偏开关失效", "process", "原料仓"),
    ("消火栓水带缺失", "fire", "办公楼二层"),
    ("临时用电线路拖地敷设", "electrical", "检修现场"),
    ("浸泡罐围堰积水未排", "layout", "浸泡工段"),
    ("叉车制动报警灯常亮仍在使用", "equipment", "装车台"),
    ("压力表超量程使用", "instrument", "一次蒸汽管线"),
)


def events(enterprise: Enterprise, epoch: int, since: int, until: int) -> list[CloudEvent]:
    """What the enterprise pushes after `since` and up to `until`, oldest first."""
    found = [
        *_heartbeats(enterprise, epoch, since, until),
        *(event for leak in _leaks(enterprise) for event in _alarms(leak, epoch, since, until)),
        *(_hazards(epoch, since, until) if enterprise.slug == PATROLLED_BY else ()),
    ]
    return sorted(found, key=lambda event: str(event["time"]))


def overdue_clears(enterprise: Enterprise, epoch: int, since: int, until: int) -> list[CloudEvent]:
    """The clears up to `until` of alarms that were raised about `since` or before: what a feed that was away owes.

    A feed that was killed may have raised an alarm up to half a minute after the moment it last wrote down.
    """
    return [
        event
        for leak in _leaks(enterprise)
        for event in _alarms(leak, epoch, since, min(until, since + 30 + leak.lasts))
        if event["data"]["state"] == AlarmState.CLEARED
    ]


def _leaks(enterprise: Enterprise) -> Iterator[Leak]:
    return (leak for leak in LEAKS if leak.enterprise == enterprise.slug)


def _alarms(leak: Leak, epoch: int, since: int, until: int) -> Iterator[CloudEvent]:
    point = point_of(leak.enterprise, leak.point)
    for offset, state in ((0, AlarmState.RAISED), (leak.lasts, AlarmState.CLEARED)):
        for at in _times(epoch + leak.start + offset, leak.period, since, until):
            value = leak.value if state is AlarmState.RAISED else round(leak.limit / 10, 1)
            said = "浓度超限" if state is AlarmState.RAISED else "浓度恢复正常"
            data = {
                "point": leak.point,
                "level": leak.level,
                "state": state,
                "value": value,
                "limit": leak.limit,
                "message": f"{point.name}{said}: {value:g} {point.uom}",
            }
            began = rfc3339(at - offset)
            yield _event("fengsui.alarm.v1", DETECTOR, f"{leak.point}/{began}/{state}", at, data)


def _hazards(epoch: int, since: int, until: int) -> Iterator[CloudEvent]:
    first = epoch + _FIRST_PATROL_S
    for at in _times(first, PATROL_S, since, until):
        title, category, place = _FINDINGS[(at - first) // PATROL_S % len(_FINDINGS)]
        data = {
            "title": f"{place}: {title}",
            "category": category,
            "grade": "general",
            "found_by": "示范巡检员",
            "location": place,
        }
        yield _event("fengsui.hazard.v1", PATROL, f"{PATROLLED_BY}/{rfc3339(at)}", at, data)


def _heartbeats(enterprise: Enterprise, epoch: int, since: int, until: int) -> Iterator[CloudEvent]:
    phase = int(HEARTBEAT_S * chance(enterprise.uscc, "heartbeat"))
    for at in range(since + 1 + (phase - since - 1) % HEARTBEAT_S, until + 1, HEARTBEAT_S):
        if not silent(enterprise.uscc, epoch, at):
            data = {"interval_s": HEARTBEAT_S}
            yield _event("fengsui.heartbeat.v1", GATEWAY, f"{enterprise.slug}/{rfc3339(at)}", at, data)


def _times(first: int, period: int, since: int, until: int) -> range:
    """The moments first, first + period, … that lie after `since` and up to `until`."""
    skipped = max(0, (since - first) // period + 1)
    return range(first + skipped * period, until + 1, period)


def _event(kind: str, source: str, name: str, at: int, data: dict[str, Any]) -> CloudEvent:
    return {
        "specversion": "1.0",
        "type": kind,
        "source": source,
        "id": name,
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": data,
    }
