"""Who pushes more than the rate waits until the debt is paid."""

import pytest

from services.ingest.doors.credentials import Bucket


def bucket(rate: float = 50, room: float = 100) -> Bucket:
    return Bucket(rate, room, at=0)


def test_a_full_bucket_lets_its_room_through_at_once():
    full = bucket()

    for _ in range(100):
        assert full.wait_s(0) == 0
        full.take(1)

    assert full.wait_s(0) > 0


def test_whoever_overdraws_waits_until_there_is_one_more():
    drawn = bucket()
    drawn.take(150)

    wait = drawn.wait_s(0)

    assert wait == pytest.approx(51 / 50)
    assert drawn.wait_s(wait - 0.03) > 0
    assert drawn.wait_s(wait) == 0


def test_a_rest_fills_no_more_than_the_room():
    rested = bucket()

    rested.wait_s(3600)

    assert rested.left == 100
