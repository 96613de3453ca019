"""The commands do on the real platform what they say."""

from pathlib import Path

import orjson
import pytest

from deploy.tokens import mint
from tests.stack import Stack, alarm, hazard, uscc

pytestmark = pytest.mark.kafka

OURS, OTHERS = uscc(901), uscc(902)


async def test_from_a_registry_file_to_the_proof_that_nothing_is_lost(stack: Stack, tmp_path: Path, fengsui):
    here = ("--url", f"http://127.0.0.1:{stack.base}", "--token", mint(stack.home, "test", "admin", "220000"))
    door = stack.url("ingest")
    companies, points, events, readings = (tmp_path / name for name in ("companies", "points", "events", "readings"))
    companies.write_text(
        f"uscc,name,region,industry\n{OURS},示范一厂,220203,food\n{OTHERS},示范二厂,220203,food\n", "gb18030"
    )
    points.write_text(f"uscc,point,name,hh\n{OURS},P-1,一号点,90\n")
    pushed = [alarm(f"cli-{n}", "P-1", state=state) for n, state in enumerate(["raised", "cleared"] * 75)]
    beat = hazard("cli-beat") | {"type": "fengsui.heartbeat.v1", "data": {"interval_s": 60}}
    lines = [orjson.dumps(event).decode() for event in [*pushed, hazard("cli-hazard"), beat]]
    events.write_text("\n".join(lines), "utf-8")
    readings.write_text("point,time,value\nP-1,2026-01-01T00:00:00Z,91\nP-1,2026-01-01T00:00:01Z,91\nP-2,x,1\n")

    first = fengsui("enterprise", "import", companies, *here)
    again = fengsui("enterprise", "import", companies, *here)
    fengsui("point", "import", points, *here)
    keys = dict(line.split(",") for line in fengsui("key", "create", "--file", companies, *here).out.splitlines())
    events_pushed = fengsui("push", events, "--url", door, "--key", keys[OURS])
    pushed_again = fengsui("push", events, "--url", door, "--key", keys[OURS])
    readings_pushed = fengsui("push", readings, "--url", door, "--key", keys[OURS])
    proof = fengsui("reconcile", events, "--wait", 30, "--json", *here)
    recount = fengsui("statistics", "recount", *here)
    ledger = fengsui("cases", "export", *here)

    assert (first.out, again.out) == ("2 created, 0 updated, 0 unchanged\n", "0 created, 0 updated, 2 unchanged\n")
    assert orjson.loads(events_pushed.out) == {"accepted": 152, "duplicates": 0, "rejected": 0}
    assert orjson.loads(pushed_again.out) == {"accepted": 0, "duplicates": 152, "rejected": 0}
    assert (readings_pushed.code, orjson.loads(readings_pushed.out)["accepted"]) == (1, 2)
    assert readings_pushed.err.splitlines()[1].split()[0] == "4"
    assert set(keys) == {OURS, OTHERS}
    assert proof.code == 0, proof.out
    assert orjson.loads(proof.out)["stages"]["ingest"]["held"] == {"heartbeat": 1}
    assert recount.code == 0, recount.out
    assert any(case["enterprise"]["uscc"] == OURS for case in map(orjson.loads, ledger.out.splitlines()))
