"""Records as a consumer meets them, made without a broker."""

from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from shared.events.event import event_id
from shared.events.hazards import HazardData, HazardReport
from shared.topics import Topic
from shared.vocabulary import Category

USCC = "91220203MA00000015"
REPORTS = Topic("test.reports", (HazardReport,), "enterprise", lambda event: event.enterprise, "test", 7, partitions=1)


def record(offset: int, value: bytes | None = b"{}", key: bytes | None = b"k", partition: int = 0) -> ConsumerRecord:
    """One record at an offset."""
    return ConsumerRecord(
        REPORTS.name, partition, offset, 0, 1, key, value, None, len(key or b""), len(value or b""), ()
    )


def records(*offsets: int, partition: int = 0) -> list[ConsumerRecord]:
    """Records that differ by their offset."""
    return [record(offset, b"%d" % offset, partition=partition) for offset in offsets]


def report(pushed: str, title: str = "安全阀未校验", digest: str = "00" * 16, uscc: str = USCC) -> HazardReport:
    """A hazard report as it stands on the bus."""
    return HazardReport(
        id=event_id(uscc, "//test/check", pushed),
        source="//test/check",
        time=datetime(2026, 11, 25, tzinfo=UTC),
        enterprise=uscc,
        region="220203",
        industry="petrochemical",
        pushid=pushed,
        digest=digest,
        data=HazardData(title=title, category=Category.EQUIPMENT),
    )
