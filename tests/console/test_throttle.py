"""Who guesses waits longer each time, and nobody waits for somebody else's guesses."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.domain.throttle import FORGOTTEN, FREE, Failures, neighbourhood

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def after(count: int) -> Failures:
    failures = Failures()
    for _ in range(count):
        failures = failures.failed(NOW)
    return failures


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 0), (4, 0), (FREE, 1), (6, 2), (7, 4), (10, 32), (11, 60), (12, 60), (5000, 60)]
)
def test_the_delay_begins_at_one_second_and_doubles_to_a_minute(count: int, seconds: int):
    assert after(count).wait(NOW) == timedelta(seconds=seconds)


def test_the_delay_runs_from_the_last_failure():
    failures = after(8)

    assert failures.wait(NOW + timedelta(seconds=3)) == timedelta(seconds=5)
    assert failures.wait(NOW + timedelta(seconds=8)) == timedelta(0)


def test_after_a_quiet_time_failures_count_no_longer():
    failures = after(20)

    assert failures.wait(NOW + FORGOTTEN) == timedelta(0)
    assert failures.failed(NOW + FORGOTTEN).count == 1


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_ipv6_line_counts_as_one_address(address: str, one: str):
    assert neighbourhood(address) == one
