"""A partition takes what comes next, and nothing else."""

import time
from typing import Any
from uuid import UUID

import pytest

from shared.batches import fingerprint
from shared.log_identity import LogIdentity
from shared.partitions import (
    POISON_COUNT,
    POISON_WINDOW,
    Choice,
    Fault,
    Partition,
    State,
    TooPoisonous,
    WrongLog,
    choice,
    why_not,
)
from tests.shared.records import record, records


def opened(expected: int = 10, verify: bytes | None = None) -> Partition:
    part = Partition()
    part.open(expected, verify)
    return part


def test_contiguous_records_from_the_expected_one_are_taken() -> None:
    part, found = opened(10), records(10, 11, 12)

    assert part.usable(found, gaps_are_normal=False) == found
    assert part.state is State.OPEN


@pytest.mark.parametrize("offsets", [(20, 21), (5, 6), (9, 10, 11)])
def test_records_that_begin_elsewhere_are_put_back(offsets: tuple[int, ...]) -> None:
    part = opened(10)

    assert part.usable(records(*offsets), gaps_are_normal=False) == []
    assert part.state is State.CLOSED  # and so read again from its position


def test_what_stands_before_a_hole_is_taken() -> None:
    part = opened(10)

    assert part.usable(records(10, 11, 14), gaps_are_normal=False) == records(10, 11)
    assert part.state is State.OPEN


def test_a_hole_met_twice_is_another_log() -> None:
    part = opened(10)
    part.usable(records(12, 13), gaps_are_normal=False)
    part.open(10, None)

    with pytest.raises(WrongLog, match="records 10 to 11 are missing"):
        part.usable(records(12, 13), gaps_are_normal=False)


def test_a_hole_that_a_person_looked_at_is_met_anew() -> None:
    part = opened(10)
    part.usable(records(12, 13), gaps_are_normal=False)
    part.stop("records are missing", Fault.HOLE)
    part.open(8, None)

    assert part.usable(records(8, 9, 12), gaps_are_normal=False) == records(8, 9)


def test_a_hole_that_was_not_there_the_second_time_is_forgotten() -> None:
    part = opened(10)
    part.usable(records(12, 13), gaps_are_normal=False)
    part.open(10, None)
    part.usable(records(10, 11), gaps_are_normal=False)
    part.moved(12, [False, False])

    assert part.hole is None
    assert part.usable(records(12, 13), gaps_are_normal=False) == records(12, 13)


def test_an_early_delivery_met_twice_is_no_hole() -> None:
    part = opened(10)
    part.usable(records(3, 4), gaps_are_normal=False)
    part.open(10, None)

    assert part.usable(records(3, 4), gaps_are_normal=False) == []
    assert part.state is State.CLOSED


def test_a_compacted_topic_has_holes() -> None:
    part, found = opened(10), records(12, 15)

    assert part.usable(found, gaps_are_normal=True) == found


def test_the_record_before_the_position_proves_the_log_and_is_dropped() -> None:
    before, *rest = records(9, 10, 11)
    part = opened(10, verify=fingerprint(before))

    assert part.usable([before, *rest], gaps_are_normal=False) == rest
    assert part.usable(records(10), gaps_are_normal=False) == records(10)  # it is asked for once


def test_another_record_before_the_position_is_another_log() -> None:
    part = opened(10, verify=fingerprint(record(9, b"as it was read")))

    with pytest.raises(WrongLog, match="the record at offset 9 is not the one that was read there"):
        part.usable([record(9, b"as it is now"), *records(10)], gaps_are_normal=False)


def test_a_fingerprint_knows_key_from_value() -> None:
    assert fingerprint(record(0, b"b", b"a")) != fingerprint(record(0, b"", b"ab"))
    assert fingerprint(record(0, None, None)) == fingerprint(record(0, b"", b""))


def test_a_failed_batch_waits_twice_as_long_each_time_up_to_five_seconds() -> None:
    part, pauses = opened(), []

    for _ in range(9):
        part.failed("PostgreSQL is away", at_once=False)
        pauses.append(part.retry_at - time.monotonic())

    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0], abs=0.05)


def test_a_lost_race_is_tried_again_at_once_but_not_for_ever() -> None:
    part, pauses = opened(), []

    for _ in range(3):
        part.failed(None, at_once=True)
        pauses.append(part.retry_at - time.monotonic())

    assert pauses == pytest.approx([0.0, 0.0, 0.4], abs=0.05)


def test_a_stopped_partition_stays_stopped_when_it_is_closed() -> None:
    part = opened()
    part.stop("a person must look")

    part.close()

    assert part.state is State.STOPPED
    assert part.reason == "a person must look"


def test_few_refusals_are_no_poison() -> None:
    part = opened()

    part.judge(POISON_COUNT, POISON_COUNT, "bad")


def test_many_refusals_among_many_more_records_are_no_poison() -> None:
    part = opened()
    part.moved(1000, [False] * POISON_WINDOW)

    part.judge(40, 500, "bad")


def test_more_than_twenty_and_five_per_cent_are_poison() -> None:
    part = opened()
    part.moved(400, [True] * POISON_COUNT + [False] * 380)

    with pytest.raises(TooPoisonous, match="21 of the last 401 records were refused, the last with: 不是JSON"):
        part.judge(1, 1, "不是JSON")


def test_a_batch_without_refusals_is_never_judged() -> None:
    part = opened()
    part.moved(100, [True] * 100)

    part.judge(0, 500, "")


def test_a_person_who_lets_it_go_on_begins_a_new_count() -> None:
    part = opened()
    part.moved(21, [True] * 21)
    part.stop("21 of the last 21 records were refused")

    part.open(21, None)

    part.judge(1, 1, "bad")


THIS, LOG = UUID(int=1), {"cluster": "c", "topic_id": UUID(int=1), "next": 40, "stopped": None, "fault": None}


@pytest.mark.parametrize(
    ("row", "partitions", "fault"),
    [
        ({}, 12, None),
        ({"cluster": "other"}, 12, Fault.ANOTHER_LOG),
        ({"topic_id": UUID(int=2)}, 12, Fault.ANOTHER_LOG),
        ({"next": 51}, 12, Fault.SHORTER),
        ({"next": 50}, 12, None),
        ({}, 6, Fault.PARTITIONS),
        ({"stopped": "why"}, 12, Fault.REFUSED),  # by the version before, which kept no fault
        ({"stopped": "why", "fault": "hole"}, 12, Fault.HOLE),
    ],
)
def test_a_log_is_read_only_where_its_position_counts(
    row: dict[str, Any], partitions: int, fault: Fault | None
) -> None:
    wrong = why_not(LOG | row, LogIdentity("c", THIS, partitions), 50, 12)

    assert (wrong and wrong[0]) == fault


@pytest.mark.parametrize(
    ("fault", "offset", "meaning"),
    [
        (Fault.HOLE, 10, Choice(10, again=30, skipped=0, first_skipped=40)),
        (Fault.HOLE, 40, Choice(40, again=0, skipped=0, first_skipped=40)),
        (Fault.HOLE, 45, Choice(45, again=0, skipped=5, first_skipped=40)),
        (Fault.REFUSED, 100, Choice(100, again=0, skipped=60, first_skipped=40)),
        (Fault.ANOTHER_LOG, 10, Choice(10, again=90, skipped=0, first_skipped=10)),
        (Fault.SHORTER, 100, Choice(100, again=0, skipped=90, first_skipped=10)),
        (Fault.OTHER_RECORD, 60, Choice(60, again=40, skipped=50, first_skipped=10)),
    ],
)
def test_a_way_on_says_what_it_reads_again_and_what_it_skips(fault: Fault, offset: int, meaning: Choice) -> None:
    assert choice(fault, following=40, first=10, end=100, offset=offset) == meaning
