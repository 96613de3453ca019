"""Whose key it is, and what that enterprise has registered; remembered, and forgotten when told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from services.ingest import store
from services.ingest.domain.admission import Pusher
from services.ingest.domain.keys import fits, read_key
from shared import telemetry
from shared.access import unauthorized
from shared.database import Connection, Line, Pool
from shared.problems import Problem
from shared.sight import whole

REMEMBERED_S = 5.0  # the most that a door may lag behind a revocation when it cannot be told
CHANNEL = "fengsui_registry"


@dataclass
class Bucket:
    """A rate that may be overdrawn once: whoever is in debt waits (token bucket, on the monotonic clock)."""

    rate: float
    room: float
    left: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = self.room

    def wait_s(self, now: float) -> float:
        """0 when something may be taken now, else the seconds until then."""
        self.left = min(self.room, self.left + (now - self.at) * self.rate)
        self.at = now
        return 0.0 if self.left > 0 else (1 - self.left) / self.rate

    def take(self, count: int) -> None:
        """Takes so many, into debt if need be."""
        self.left -= count


@dataclass
class Held:
    """What the door remembers of one key."""

    pusher: Pusher
    hash: bytes
    until: float
    bucket: Bucket
    points: set[str] = field(default_factory=set)


class Credentials:
    """Keys in force. A key or a point that is not remembered is looked up, so what is new counts at once."""

    def __init__(self, dsn: str, rate: int) -> None:
        self._line = Line(dsn, "ingest.credentials")
        self._rate = rate
        self._held: dict[str, Held] = {}
        self._asked: dict[str, asyncio.Task[Held | None]] = {}
        self._told = 0
        """How often the registry changed: what was read before is not remembered after."""
        self._buckets: dict[str, Bucket] = {}
        self.ask: Callable[[], Pool]

    async def of(self, text: str) -> Held:
        """Whom a bearer credential speaks for; a Problem 401 with one text for every wrong one."""
        key = read_key(text)
        if key is None:
            raise unauthorized()
        held = self._held.get(key.prefix)
        if held is None or held.until < time.monotonic():
            held = await self._looked_up(key.prefix)
        if held is None or not fits(key.secret, held.hash):
            raise unauthorized()
        return held

    async def _looked_up(self, prefix: str) -> Held | None:
        """One question for all who wait for the same key: of a busy one hundreds do when its time is over."""
        task = self._asked.get(prefix)
        if task is None:
            task = self._asked[prefix] = asyncio.create_task(self._look_up(prefix, self._told))
            task.add_done_callback(lambda done: self._answered(prefix, done))
        return await asyncio.shield(task)

    def _answered(self, prefix: str, task: "asyncio.Task[Held | None]") -> None:
        if self._asked.get(prefix) is task:
            del self._asked[prefix]
        if not task.cancelled():
            task.exception()  # whoever waits hears it, if anyone still does

    async def _look_up(self, prefix: str, told: int) -> Held | None:
        known = self._held.get(prefix)
        async with self._registry() as db:
            row = await db.fetchrow(store.KEY_BY_PREFIX, prefix)
            points = known.points if known else set()  # points are only added; one that is missing is looked for
            if row and not points:
                points = {point["point"] for point in await db.fetch(store.POINT_NAMES, row["uscc"])}
        if row is None:
            self._held.pop(prefix, None)
            return None
        bucket = self._buckets.setdefault(prefix, Bucket(self._rate, max(10_000, self._rate)))
        pusher = Pusher(row["uscc"], row["name"], row["region"], row["industry"])
        held = Held(pusher, row["hash"], time.monotonic() + REMEMBERED_S, bucket, points)
        if told == self._told:
            self._held[prefix] = held
        return held

    def forget(self) -> None:
        """The registry changed; what is being read may be older than that."""
        self._told += 1
        self._held.clear()
        self._asked.clear()

    async def renew_points(self, held: Held) -> None:
        """Reads the points again, for one may have been registered just now."""
        async with self._registry() as db:
            held.points |= {row["point"] for row in await db.fetch(store.POINT_NAMES, held.pusher.uscc)}

    @asynccontextmanager
    async def _registry(self) -> AsyncIterator[Connection]:
        """A connection to read by; a Problem 503 when it cannot be read."""
        try:
            async with whole(self.ask()) as db:
                yield db
        except Exception as error:
            telemetry.log.warning("registry_unreachable", error=type(error).__name__, detail=str(error)[:200])
            detail = "keys and points cannot be read now"
            raise Problem(503, "registry_unreachable", detail, headers={"Retry-After": "2"}) from error

    async def listen(self) -> None:
        """Forgets everything when the registry says that it changed. Until cancelled."""
        while True:
            try:
                db = await self._line.get()
                await db.add_listener(CHANNEL, lambda *_: self.forget())
                self.forget()  # what was said before we listened
                while not db.is_closed():
                    await asyncio.sleep(1)
                    await db.execute("SELECT 1")  # an idle line that is cut would not tell
            except asyncio.CancelledError:
                await self._line.close()
                raise
            except Exception as error:
                telemetry.log.warning("registry_not_heard", error=type(error).__name__)
                with suppress(Exception):
                    self._line.drop()
                await asyncio.sleep(0.5)
