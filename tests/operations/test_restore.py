"""The drill: back up, go on, restore, read again: all stands as it stood, and nobody is told twice."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local import backup
from deploy.local.postgres import Postgres
from deploy.refusal import Refusal
from deploy.tokens import ensure_keys
from tests.operations.site import REGION, Site, on_site
from tests.stack import ENTERPRISE, Stack, alarm, hazard, opened, until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]


@pytest.fixture
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    home = tmp_path_factory.mktemp("site") / "home"
    home.mkdir()
    for folder in (home, *list(home.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    async with opened(Stack(home, Postgres(home, fast=True), "")) as stack, on_site(stack) as site:
        try:
            ensure_keys(home)
            await site.start()
            yield site
        finally:
            await site.stop()


@pytest.mark.timeout(900)
async def test_a_restored_database_ends_where_it_was_and_nobody_is_told_twice(site: Site, tmp_path: Path) -> None:
    await site.go_to_work(f"P-{number:02}" for number in range(40))
    await site.push(*[alarm(f"before-{n}", f"P-{n:02}") for n in range(10)], hazard("before-h"))
    first = await site.case_of("P-00")
    await site.answer(await site.case_of("P-01"))
    await site.act(first, "confirm", {"grade": "general"})
    await site.quiet()

    place = await asyncio.to_thread(backup.backup, site.home, tmp_path / "backups")

    await site.push(*[alarm(f"after-{n}", f"P-{n:02}", "orange") for n in range(10, 20)], hazard("after-h"))
    await site.push(*[alarm(f"again-{n}", f"P-{n:02}", "red") for n in range(15, 18)])
    await site.push(*[alarm(f"clear-{n}", f"P-{n:02}", state="cleared") for n in range(3)])
    await site.act(first, "comment", {"text": "seen"})
    await site.write_off(await site.case_of("P-10"))
    await site.act(await site.case_of("P-05"), "void", {"reason": "a test"})
    await site.answer(await site.case_of("P-11"))
    await site.answer(await site.case_of("P-03"))
    await site.quiet()  # an answer and the next alarm travel on two topics, of which either may be read first
    await site.push(alarm("back-10", "P-10", "red"), alarm("back-05", "P-05"))
    await site.act(await site.case_of("P-10"), "confirm", {"grade": "major"})
    await site.stack.register(ENTERPRISE, ["P-40"], REGION)
    await site.push(alarm("new-point", "P-40"))
    await site.case_of("P-40")
    await site.quiet()
    stood = [await site.figures(), await site.ledger(), await site.board(), await site.answers()]
    heard = [each["id"] for each in site.phone.taken]

    await site.stop()
    await asyncio.to_thread(backup.restore, site.home, place, print)
    print(await backup.recalled(site.home))
    await site.start()
    await site.quiet()

    stands = [await site.figures(), await site.ledger(), await site.board(), await site.answers()]
    assert stands[0] == stood[0]
    assert [without_clock(case) for case in stands[1]] == [without_clock(case) for case in stood[1]]
    assert stands[2] == stood[2]
    assert stands[3] == stood[3]
    await site.push(alarm("afterwards", "P-30"))
    await until(site.calls, lambda calls: calls > len(heard), 60)
    await site.quiet()
    assert [each["id"] for each in site.phone.taken[:-1]] == heard
    status, recount = await site.stack.send("reporting", "/v1/statistics/recount", {})
    assert (status, recount["equal"]) == (200, True)
    await site.act(first, "comment", {"text": "and on it goes"})


def without_clock(case: Any) -> Any:
    return {name: value for name, value in case.items() if name != "overdue"}


async def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(Refusal, match="no backup"):
        backup.restore(tmp_path / "home", tmp_path / "folder", print)


async def test_a_damaged_backup_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    copy, secrets = tmp_path / "backup" / "postgres", tmp_path / "backup" / "secrets"
    copy.mkdir(parents=True)
    secrets.mkdir()
    (secrets / "postgres.postgres").write_text("x")
    (copy / "page").write_bytes(b"altered")
    manifest = {"Files": [{"Path": "page", "Checksum": hashlib.sha256(b"original").hexdigest()}]}
    (copy / "backup_manifest").write_bytes(orjson.dumps(manifest))

    with pytest.raises(Refusal, match="page is not what was backed up"):
        backup.restore(tmp_path / "home", tmp_path / "backup", print)

    assert not (tmp_path / "home").exists()
