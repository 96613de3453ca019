"""运维: what waits for a person is seen and dealt with there, by who may; whoever lacks a right sees the rest."""

import re
from typing import Any

import pytest

from services.console.routes.operations import heard
from tests.console.replica import Replica, replica
from tests.console.visiting import read, rows, visit, words
from tests.stack import Stack, alarm, until, uscc

PAYLOAD = '{"id": "<script>alert(1)</script>", "名": "\u202egnp.甲"}'
TABS = {"总览", "死信", "密钥", "审计"}


def _tabs(source: str) -> set[str]:
    (found,) = re.findall(r'<nav class="tabs".*?</nav>', source, re.S)
    return set(words(found).split())


async def _dead_letter(stack: Stack, offset: int, payload: bytes = PAYLOAD.encode()) -> int:
    (row,) = await stack.sql(
        "INSERT INTO hazards.dead_letters (topic, partition, log_offset, key, payload, payload_size, reason, detail)"
        " VALUES ('reports', 0, $1, 'k', $2, $3, 'no_schema', $4) RETURNING id",
        offset,
        payload,
        len(payload),
        "<b>detail</b>",
    )
    return int(row["id"])


@pytest.fixture(scope="module")
async def plant(stack: Stack) -> str:
    """An enterprise for whom keys are made."""
    code = uscc(803)
    await stack.register(code, ["O-1"])
    return code


async def test_every_service_is_said_to_be_ready(desk: Replica) -> None:
    found = rows(await read(await visit(desk, "ops"), "/operations"))
    for name in ("ingest", "hazards", "notify", "reporting"):
        assert any(name in row and "✓ 就绪" in row for row in found), found


async def test_one_that_is_away_is_named_and_the_rest_is_shown(stack: Stack) -> None:
    async with replica(stack.postgres, port_base=stack.base, service_urls="notify=http://127.0.0.1:1") as alone:
        found = rows(await read(await visit(alone, "ops"), "/operations"))
    assert any("notify" in row and "无应答" in row for row in found)
    assert any("hazards" in row and "✓ 就绪" in row for row in found)


async def test_whoever_lacks_a_right_sees_only_the_rest(desk: Replica) -> None:
    officer, ops = await visit(desk, "officer", "220203"), await visit(desk, "ops")
    assert _tabs(await read(officer, "/operations")) == {"总览"}
    assert _tabs(await read(await visit(desk, "admin", "220200"), "/operations")) == {"总览"}
    assert _tabs(await read(ops, "/operations")) == TABS
    for path in ("/operations/keys", "/operations/dead-letters", "/operations/audit"):
        await read(officer, path, 403)


async def test_a_key_is_shown_once_pushes_and_ends(desk: Replica, stack: Stack, plant: str) -> None:
    ops = await visit(desk, "ops")

    made = await ops.post("/operations/keys", data={"enterprise": plant, "name": "<b>网关</b>"})
    (key,) = re.findall(r'id="new_key"[^>]*value="(fs_[^"]+)"', made.text)
    accepted, _ = await stack.push(alarm("op-1", "O-1"), key=key)
    listed = await read(ops, f"/operations/keys?enterprise={plant}")

    assert (made.status_code, accepted) == (201, 202)
    assert key not in listed
    assert "<b>网关</b>" not in listed
    prefix = key.split("_")[1]
    ended = await ops.post(f"/operations/keys/{prefix}/revoke")
    assert ended.status_code == 303

    async def refused() -> bool:
        return (await stack.push(alarm("op-2", "O-1"), key=key))[0] == 401

    await until(refused)
    (row,) = [
        row for row in rows(await read(ops, f"/operations/keys?enterprise={plant}&state=revoked")) if prefix in row
    ]
    assert "已吊销" in row


async def test_a_key_for_nobody_is_refused_and_what_was_typed_is_kept(desk: Replica) -> None:
    answer = await (await visit(desk, "ops")).post("/operations/keys", data={"enterprise": uscc(999), "name": "n"})
    assert answer.status_code == 409
    assert f'value="{uscc(999)}"' in answer.text


async def test_a_dead_letter_is_shown_as_text(desk: Replica, stack: Stack) -> None:
    letter = await _dead_letter(stack, 1)
    ops = await visit(desk, "ops")

    listed = await read(ops, "/operations/dead-letters?service=hazards")
    source = await read(ops, f"/operations/dead-letters/hazards/{letter}")

    assert "reports/0@1" in words(listed)
    assert "<script>alert(1)" not in source
    assert PAYLOAD in words(source)
    assert "<b>detail</b>" not in source


async def test_a_dead_letter_is_sent_again_as_it_was_corrected(desk: Replica, stack: Stack) -> None:
    letter = await _dead_letter(stack, 2)
    ops = await visit(desk, "ops")

    answer = await ops.post(
        f"/operations/dead-letters/hazards/{letter}/replay", data={"payload": '{"better":\r\n1}', "note": "mended"}
    )

    assert answer.status_code == 303
    (row,) = await stack.sql("SELECT state, resolved_by, note FROM hazards.dead_letters WHERE id = $1", letter)
    assert tuple(row) == ("replayed", "ops-220000", "mended")
    bodies = await stack.sql("SELECT body FROM hazards.outbox WHERE topic = 'reports' ORDER BY seq DESC LIMIT 1")
    assert bodies[0]["body"] == b'{"better":\n1}'


async def test_an_unchanged_dead_letter_is_sent_again_to_the_byte(desk: Replica, stack: Stack) -> None:
    payload = b'{"a":\r\n 1}'
    letter = await _dead_letter(stack, 3, payload)

    await (await visit(desk, "ops")).post(
        f"/operations/dead-letters/hazards/{letter}/replay", data={"payload": '{"a":\r\n 1}', "note": ""}
    )

    bodies = await stack.sql("SELECT body FROM hazards.outbox WHERE topic = 'reports' ORDER BY seq DESC LIMIT 1")
    assert bodies[0]["body"] == payload


async def test_a_dead_letter_is_given_up_only_with_a_reason(desk: Replica, stack: Stack) -> None:
    letter = await _dead_letter(stack, 4)
    ops, path = await visit(desk, "ops"), f"/operations/dead-letters/hazards/{letter}/discard"

    refused = await ops.post(path, data={"note": "  "})
    taken = await ops.post(path, data={"note": "a test's own"})
    twice = await ops.post(path, data={"note": "again"})

    assert (refused.status_code, taken.status_code, twice.status_code) == (409, 303, 409)
    shown = words(await read(ops, f"/operations/dead-letters/hazards/{letter}"))
    assert "a test's own" in shown


async def test_a_stopped_partition_goes_on_when_somebody_says_so(desk: Replica, stack: Stack) -> None:
    await stack.sql(
        "INSERT INTO notify.positions (topic, partition, next, cluster, topic_id, stopped)"
        " VALUES ('probe', 7, 0, 'c', gen_random_uuid(), 'too many <b>dead</b> letters')"
    )
    ops = await visit(desk, "ops")

    before = rows(await read(ops, "/operations"))
    answer = await ops.post("/operations/partitions/notify/probe/7/resume")
    again = await ops.post("/operations/partitions/notify/probe/7/resume")

    assert any("probe/7" in row and "too many <b>dead</b> letters" in row for row in before)
    assert (answer.status_code, again.status_code) == (303, 409)
    await stack.sql("DELETE FROM notify.positions WHERE topic = 'probe'")


async def test_the_trail_names_who_did_it(desk: Replica, plant: str) -> None:
    ops = await visit(desk, "ops")
    await ops.post("/operations/keys", data={"enterprise": plant, "name": "trail"})

    found = rows(await read(ops, "/operations/audit?service=ingest&action=create_key&actor=ops-220000"))

    assert any("ops-220000" in row and "create_key" in row for row in found)
    assert not rows(await read(ops, "/operations/audit?service=ingest&actor=nobody"))[1:]


async def test_another_sites_form_changes_nothing(desk: Replica, plant: str) -> None:
    ops = await visit(desk, "ops")
    answer = await ops.post("/operations/keys", data={"enterprise": plant}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_source_is_overdue_after_three_of_its_own_intervals() -> None:
    def source(name: str, interval: int | None) -> dict[str, Any]:
        return {"source": name, "uscc": "E", "heard_at": "2026-11-25T00:00:00+00:00", "interval_s": interval}

    now = 1_795_564_800.0 + 181  # 2026-11-25T00:03:01Z

    found = heard([source("slow", 3600), source("late", 60), source("free", None)], now)

    assert [(row["source"], row["overdue"]) for row in found] == [("late", True), ("slow", False), ("free", False)]
