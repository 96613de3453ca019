"""A batch is cut without losing order, and sorted without ever raising."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.batches import Run, halves, judge_repeats, parse
from tests.shared.records import REPORTS, record, records, report

runs_of_partitions = st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(1, 40)), min_size=1, max_size=6).map(
    lambda drawn: [
        Run(number, first, tuple(records(*range(first, first + size), partition=number)))
        for number, (first, size) in enumerate(drawn)
    ]
)


def size(runs: Sequence[Run]) -> int:
    return sum(len(run.records) for run in runs)


@given(runs_of_partitions.filter(lambda runs: size(runs) > 1))
def test_halves_keep_content_order_and_contiguity(runs: list[Run]) -> None:
    left, right = halves(runs)

    assert size(left) == size(runs) // 2
    assert size(right) == size(runs) - size(runs) // 2
    for run in runs:
        parts = [half for half in (*left, *right) if half.partition == run.partition]
        assert [r for part in parts for r in part.records] == list(run.records)
        assert parts[0].expected == run.expected
        assert parts[-1].next == run.next
        for part in parts:
            assert [r.offset for r in part.records] == list(range(part.expected, part.next))


@given(runs_of_partitions)
def test_halving_again_and_again_ends_with_each_record_alone_in_order(runs: list[Run]) -> None:
    def alone(some: list[Run]) -> list[tuple[int, int]]:
        if size(some) == 1:
            return [(some[0].partition, some[0].expected)]
        left, right = halves(some)
        return alone(left) + alone(right)

    assert alone(runs) == [(run.partition, r.offset) for run in runs for r in run.records]


def test_valid_records_become_events_in_their_order() -> None:
    batch = parse(REPORTS, [record(n, report(f"h-{n}").wire()) for n in range(3)])

    assert [event.pushid for _, event in batch.events] == ["h-0", "h-1", "h-2"]
    assert batch.dead == []


@given(st.lists(st.one_of(st.none(), st.binary(max_size=200), st.text(max_size=50).map(str.encode)), max_size=20))
def test_whatever_a_record_holds_parsing_does_not_raise(values: list[bytes | None]) -> None:
    batch = parse(REPORTS, [record(n, value) for n, value in enumerate(values)])

    assert len(batch.events) + len(batch.dead) + batch.ignored == len(values)


def test_a_record_without_a_value_is_a_dead_letter_of_its_own_reason() -> None:
    batch = parse(REPORTS, [record(0, None), record(1, b"")])

    assert [letter.reason for letter in batch.dead] == ["null_value", "unreadable"]


def test_an_unreadable_record_says_where() -> None:
    broken = report("h-1").wire().replace(b'"equipment"', b'"purple"')

    (letter,) = parse(REPORTS, [record(7, broken)]).dead

    assert letter.reason == "unreadable"
    assert letter.detail.startswith("data/category: ")
    assert letter.record.offset == 7


def test_a_kind_of_a_newer_writer_is_ignored() -> None:
    newer = report("h-1").wire().replace(b"fengsui.hazard.v1", b"fengsui.hazard.v9")

    batch = parse(REPORTS, [record(0, newer), record(1, report("h-2").wire())])

    assert batch.ignored == 1
    assert [event.pushid for _, event in batch.events] == ["h-2"]
    assert batch.dead == []


def test_a_member_of_a_newer_writer_is_ignored() -> None:
    newer = report("h-1").wire().replace(b'{"specversion"', b'{"mood":"calm","specversion"')

    assert [event.pushid for _, event in parse(REPORTS, [record(0, newer)]).events] == ["h-1"]


def test_what_is_of_no_concern_is_passed_over_however_often_it_comes() -> None:
    pushed = [record(n, report(name).wire()) for n, name in enumerate(("h-0", "h-1", "h-0"))]

    batch = parse(REPORTS, pushed, lambda event: event.pushid != "h-0")

    assert [event.pushid for _, event in batch.events] == ["h-1"]
    assert (batch.ignored, batch.repeats, batch.dead) == (2, [], [])


def test_rubbish_is_a_dead_letter_whatever_is_of_concern() -> None:
    batch = parse(REPORTS, [record(0, b"{}")], lambda event: False)

    assert [letter.reason for letter in batch.dead] == ["unreadable"]


def test_the_same_event_twice_in_a_batch_counts_once() -> None:
    first = report("h-1")
    batch = parse(REPORTS, [record(0, first.wire()), record(1, first.wire())])

    judge_repeats(batch, {first.id: first.digest})

    assert len(batch.events) == 1
    assert batch.duplicates == 1


def test_a_known_id_with_other_content_is_a_dead_letter() -> None:
    first, other = report("h-1"), report("h-1", "别的内容", digest="11" * 16)
    batch = parse(REPORTS, [record(0, first.wire()), record(1, other.wire())])

    judge_repeats(batch, {first.id: first.digest})

    assert [event.data.title for _, event in batch.events] == ["安全阀未校验"]
    assert [(letter.reason, letter.record.offset) for letter in batch.dead] == [("id_reused", 1)]
    assert batch.dead[0].detail == "//test/check h-1 came before with other content"
