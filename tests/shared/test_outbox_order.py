"""The relay marks no record as sent that overtook a failed one of its key."""

from hypothesis import given
from hypothesis import strategies as st

from shared.outbox import in_order

FAILED = TimeoutError()

passes = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30)


@given(passes)
def test_of_each_key_exactly_the_records_before_its_first_failure_are_marked(sent: list[tuple[str, bool]]) -> None:
    keys = [("cases", key) for key, _ in sent]
    outcomes = [None if acknowledged else FAILED for _, acknowledged in sent]

    marked = in_order(keys, outcomes)

    for key in "abc":
        places = [place for place, (each, _) in enumerate(sent) if each == key]
        failures = [place for place in places if not sent[place][1]]
        assert [p for p in places if p in marked] == [p for p in places if not failures or p < failures[0]]
    assert marked == sorted(marked)


def test_the_same_key_of_another_topic_is_another_key() -> None:
    keys = [("cases", "k"), ("notifications", "k"), ("cases", "k")]

    assert in_order(keys, [FAILED, None, None]) == [1]
