"""The figures of the benchmark mean what they say."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench.speed import load, results
from bench.speed.load import ENTERPRISES, Enterprise
from bench.speed.quantiles import milliseconds
from bench.speed.stages import watch
from bench.speed.usage import Snapshot, between

NOW = datetime(2026, 11, 26, 1, 30, tzinfo=UTC)
PUSHERS = [Enterprise(load.uscc(n), load.county(n), f"key-{n}") for n in range(ENTERPRISES)]


def body(request: bytes) -> object:
    """What a request carries, when its length is told right."""
    head, _, rest = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(rest)}".encode() in head
    return orjson.loads(rest)


def key(request: bytes) -> str:
    """By which key a request is pushed."""
    return request.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()


def test_every_alarm_of_a_run_is_pushed_once_and_is_of_a_point_of_its_own():
    singles = list(load.single_alarms("run", 500, PUSHERS, 8001, NOW))
    batches = list(load.batched_alarms("run", 10_000, 100, PUSHERS, 8001, NOW))

    one_by_one = [(key(each), body(each)) for each in singles]
    together = [(key(each), alarm) for each in batches for alarm in body(each)]

    for pushed in (one_by_one, together):
        assert {alarm["id"] for _, alarm in pushed} == {f"run-{n}" for n in range(len(pushed))}
        assert len({(pusher, alarm["data"]["point"]) for pusher, alarm in pushed}) == len(pushed)
    assert {len(body(each)) for each in batches} == {100}


def test_an_alarm_has_the_same_pusher_alone_and_in_a_batch():
    alone = {body(each)["id"]: key(each) for each in load.single_alarms("run", 5_000, PUSHERS, 8001, NOW)}

    batched = {
        alarm["id"]: key(each)
        for each in load.batched_alarms("run", 5_000, 100, PUSHERS, 8001, NOW)
        for alarm in body(each)
    }

    assert batched == alone


def test_no_point_is_read_twice_at_one_time_and_all_points_are_read():
    for points in (1_000, 100_000):
        pushed = list(load.frames(2 * points // load.FRAME, points, PUSHERS, 8001, NOW))

        readings = Counter((key(each), point, body(each)["time"]) for each in pushed for point in body(each)["points"])

        assert set(readings.values()) == {1}
        assert len({(pusher, point) for pusher, point, _ in readings}) == points


def test_prepared_requests_are_read_as_they_were_written(tmp_path: Path):
    requests = [b"POST / HTTP/1.1\r\n\r\n{}", b"", "\n测".encode()]

    load.write(tmp_path / "push", requests)

    assert load.read(tmp_path / "push") == requests


def test_a_quantile_is_a_latency_that_occurred():
    latencies = [n / 1000 for n in range(1000, 0, -1)]

    found = milliseconds(latencies)

    assert found == {"p50": 500.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}
    assert milliseconds([0.002]) == {"p50": 2.0, "p99": 2.0, "p99.9": 2.0, "max": 2.0}


def test_a_cost_is_what_was_used_between_and_of_a_session_that_began_meanwhile_all():
    before = Snapshot({"ingest": 10.0, "kafka": 5.0}, {"hazards.alarms": 1.0})
    after = Snapshot({"ingest": 12.0, "kafka": 5.0}, {"hazards.alarms": 1.5, "hazards.relay": 0.25})

    cost = between(before, after, 500)

    assert cost == {"processes": {"ingest": 4.0}, "sessions": {"hazards.alarms": 1.0, "hazards.relay": 0.5}}


async def test_a_stage_is_through_at_the_moment_it_has_come_so_far():
    looks = iter([{"cases": 7, "facts": 5}, {"cases": 12, "facts": 8}, {"cases": 15, "facts": 15}])

    async def look() -> dict[str, int]:
        return next(looks)

    times = await watch(look, {"cases": 5, "facts": 5}, 7, began=0.0)

    assert times.progress == {"cases": 10, "facts": 10}
    assert times.reached["cases"] < times.reached["facts"]


def test_a_ratio_stands_beside_what_the_peer_calls_the_same():
    run = {"batch": 100, "rates": {"accepted": 3000.0, "case": 900.0, "delivered": None}}
    measured = {
        "alertmanager": {"runs": [{"batch": 100, "grouping": "each alarm: …", "rates": {"accepted": 1500.0}}]},
        "alerta": {"rates": {"kept": 90.0}},
        "limits": {"aiokafka_produce": 30_000.0, "postgres_unnest": 9_000.0},
    }

    assert results.ratios(measured, run, "accepted") == {"Alertmanager": 2.0, "bare aiokafka": 0.1}
    assert results.ratios(measured, run, "case") == {"Alerta": 10.0, "bare unnest": 0.1}
    assert results.ratios(measured, run, "delivered") == {}
