"""The demo's live feed: what the enterprises measure and say goes through the real door, and nothing is lost.

What is sent follows from the time alone, so a door that is away costs no memory: the feed remembers up to when each
enterprise was heard, and asks again for what came after.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from pydantic import ValidationError

from deploy.demo.keys import read_keys
from deploy.demo.province import Enterprise, enterprises
from deploy.demo.pushed import CloudEvent, events
from deploy.demo.signals import Reading, chance, rfc3339
from deploy.demo.world import World, begin, readings, resume
from deploy.refusal import Refusal
from shared.telemetry import log, start_logs

CHUNK_S: Final = 300
"""What one enterprise sends at once after an outage: a few hundred readings."""

_SAVE_S: Final = 10
_ANSWER_S: Final = 15
_LONGEST_PAUSE_S: Final = 15.0
_LONGEST_RETRY_AFTER_S: Final = 60.0
_LATER: Final = {401, 408, 425, 429}  # and every 5xx: the same again, later


class Door:
    """The ingest door as an enterprise meets it: it takes or refuses, however long that needs."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.tally: Counter[str] = Counter()
        self._session = session
        self._url = url

    async def push(self, path: str, key: str, kind: str, body: object) -> None:
        """Sends the same body until its outcome is known; the identities in it make that harmless."""
        payload = orjson.dumps(body)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        pause = 1.0
        while True:
            status, said, retry_after = await self._try(path, headers, payload)
            if 0 < status < 500 and status not in _LATER:
                break
            self.tally[f"later_{status or 'no_answer'}"] += 1
            await asyncio.sleep(pause if retry_after is None else min(retry_after, _LONGEST_RETRY_AFTER_S))
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        rejected = said.get("rejected") or ([said] if status >= 400 else [])
        self.tally["accepted"] += said.get("accepted", 0)
        self.tally["duplicates"] += said.get("duplicates", 0)
        self.tally["refused"] += len(rejected)
        if rejected:
            log.warning("refused", path=path, status=status, count=len(rejected), first=rejected[0])

    async def _try(
        self, path: str, headers: Mapping[str, str], payload: bytes
    ) -> tuple[int, dict[str, Any], float | None]:
        """Status (0 for no answer), body and Retry-After in seconds."""
        try:
            async with self._session.post(self._url + path, data=payload, headers=headers) as answer:
                body = await answer.read()
                said = answer.headers.get("Retry-After", "")
                retry_after = float(said) if said.isdecimal() else None
                return answer.status, _members(body), retry_after
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, {}, None


class Feed:
    """Keeps the door informed up to now, an enterprise at a time."""

    def __init__(
        self, door: Door, keys: Mapping[str, str], world: World, clock: Callable[[], float] = time.time
    ) -> None:
        self.world = world
        self._door = door
        self._keys = keys
        self._clock = clock

    async def follow(self, enterprise: Enterprise, owed: list[CloudEvent]) -> None:
        """Every two to five seconds, each enterprise at its own pace, without end."""
        beat = 2 + 3 * chance(enterprise.uscc, "beat")
        await asyncio.sleep(beat * chance(enterprise.uscc, "stagger"))
        await self._say(enterprise, owed)
        while True:
            await self.catch_up(enterprise)
            await asyncio.sleep(beat)

    async def catch_up(self, enterprise: Enterprise) -> None:
        """Sends what the enterprise has not yet sent, oldest first, in bounded pieces."""
        heard = self.world.until
        while (now := int(self._clock())) > heard[enterprise.uscc]:
            since = heard[enterprise.uscc]
            until = min(now, since + CHUNK_S)
            await self._show(enterprise, readings(self.world, enterprise, since, until))
            await self._say(enterprise, events(enterprise, self.world.epoch, since, until))
            heard[enterprise.uscc] = until

    def behind_s(self) -> int:
        """How far the slowest enterprise is behind the clock."""
        return int(self._clock()) - min(self.world.until[uscc] for uscc in self._keys)

    async def _show(self, enterprise: Enterprise, measured: list[Reading]) -> None:
        if measured:
            rows = [{"point": r.point, "time": rfc3339(r.at), "value": r.value} for r in measured]
            await self._door.push("/v1/readings", self._keys[enterprise.uscc], "application/json", {"readings": rows})

    async def _say(self, enterprise: Enterprise, said: list[CloudEvent]) -> None:
        if said:
            kind = "application/cloudevents-batch+json"
            await self._door.push("/v1/events", self._keys[enterprise.uscc], kind, said)


async def run(home: Path, url: str) -> None:
    """Feeds the door until it is cancelled."""
    keys = read_keys(home)
    if not keys:
        raise Refusal("no enterprise has a key yet: seed the demo first")
    place = home / "demo" / "feed.json"
    world, owed = _take_up(place, int(time.time()))
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8), timeout=timeout) as session:
        door = Door(session, url)
        feed = Feed(door, keys, world)
        try:
            async with asyncio.TaskGroup() as tasks:
                for enterprise in enterprises():
                    if enterprise.uscc in keys:
                        tasks.create_task(feed.follow(enterprise, owed.get(enterprise.uscc, [])))
                tasks.create_task(_write_down(place, world))
                tasks.create_task(_report(feed, door))
        finally:
            _save(place, world)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.feed", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    chosen = parser.parse_args()
    start_logs("demo-feed", "info")
    try:
        asyncio.run(_until_told(run(chosen.home, f"http://127.0.0.1:{chosen.port_base + 1}")))
    except (OSError, Refusal) as error:
        sys.exit(f"fengsui: the demo feed cannot run: {error}")


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Runs the work until SIGTERM or SIGINT."""
    task = asyncio.ensure_future(work)
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _take_up(place: Path, now: int) -> tuple[World, dict[str, list[CloudEvent]]]:
    try:
        return resume(World.model_validate_json(place.read_bytes()), now)
    except FileNotFoundError:
        return begin(now), {}
    except ValidationError as error:
        log.warning("began anew", file=str(place), faults=error.error_count())
        return begin(now), {}


async def _write_down(place: Path, world: World) -> None:
    while True:
        _save(place, world)
        await asyncio.sleep(_SAVE_S)


def _save(place: Path, world: World) -> None:
    """Whole or not at all; a full disk must not stop the feed."""
    try:
        draft = place.with_suffix(".new")
        draft.write_text(world.model_dump_json(), encoding="utf-8")
        os.replace(draft, place)
    except OSError as error:
        log.warning("not saved", file=str(place), reason=str(error))


async def _report(feed: Feed, door: Door) -> None:
    while True:
        await asyncio.sleep(60)
        log.info("fed", behind_s=feed.behind_s(), **door.tally)
        door.tally.clear()


def _members(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


if __name__ == "__main__":
    main()
