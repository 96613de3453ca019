"""A site of its own: servers that stop and start, one officer on duty whose phone listens, and how all of it stands."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from deploy.local import backup
from deploy.local.kafka import Kafka
from services.reporting.domain.tally import Measure
from shared.topics import ensure_topics
from tests.notify.stand import ALWAYS, SECRET, Phone
from tests.stack import ENTERPRISE, Stack, passwords, until

SERVICES = ("ingest", "hazards", "notify", "reporting")
REGION = "220203"
EVIDENCE = {"evidence": [{"url": "https://example.org/photo.jpg", "sha256": "0" * 64}]}


@dataclass
class Site:
    """A home of its own, whose servers stop and start, and the phone of who is on duty."""

    stack: Stack
    phone: Phone

    @property
    def home(self) -> Path:
        return self.stack.home

    async def start(self) -> None:
        await asyncio.to_thread(self.stack.postgres.start)
        kafka = Kafka(self.home)
        await asyncio.to_thread(kafka.start)
        self.stack.kafka = kafka.bootstrap
        await backup.schemas(self.stack.postgres.admin_dsn, passwords(self.home))
        await ensure_topics(self.stack.kafka)
        for service in SERVICES:
            self.stack.start(service)
        await self.stack.ready(*SERVICES, timeout=90)

    async def stop(self) -> None:
        await asyncio.to_thread(self.stack.stop)
        await asyncio.to_thread(backup.stop_recorded, self.home, lambda _line: None)

    # What is pushed and done

    async def go_to_work(self, points: Iterable[str]) -> None:
        """One enterprise with its points, one officer on duty."""
        self.stack.key = await self.stack.register(ENTERPRISE, points, REGION)
        contact = f"wang,Wang,{REGION},officer,{self.phone.url}/wang,{SECRET}\n"
        columns = "contact,name,region,role,webhook,webhook_secret\n"
        await self.stack.upload("notify", "/v1/contacts/import", columns + contact)
        shift = f"duty,{REGION},wang,{ALWAYS},primary\n"
        columns = "roster,region,contact,start,end,position\n"
        await self.stack.upload("notify", "/v1/rosters/import", columns + shift)

    async def push(self, *events: dict[str, Any]) -> None:
        status, answer = await self.stack.push(*events)
        assert (status, answer["accepted"]) == (202, len(events)), answer

    async def act(self, case: str, action: str, body: dict[str, Any], name: str = "li") -> None:
        """At the version that the case has; an alarm may have come meanwhile."""
        path = f"/v1/cases/{case}"

        async def tried() -> int:
            known = await self.stack.get("hazards", path)
            status, answer = await self.stack.send("hazards", f"{path}/{action}", body, known["version"], name=name)
            assert status in (200, 412), answer
            return status

        await until(tried, lambda status: status == 200)

    async def write_off(self, case: str) -> None:
        await self.act(case, "confirm", {"grade": "general"})
        await self.act(case, "start", {"responsible": "Zhao", "due_at": "2098-01-01T00:00:00+08:00", "money": "1"})
        await self.act(case, "submit", EVIDENCE, name="zhao")
        await self.act(case, "return", {"reason": "blurred"})
        await self.act(case, "submit", EVIDENCE, name="zhao")
        await self.act(case, "accept", {"text": "done"})

    async def answer(self, case: str) -> None:
        status, answer = await self.stack.send("notify", f"/v1/cases/{case}/acknowledge", None, name="wang")
        assert status == 200, answer

    async def case_of(self, point: str) -> str:
        """The newest case of a point, once it is open and somebody was told of it."""

        async def ask() -> list[Any]:
            items = (await self.stack.get("hazards", "/v1/cases?limit=500&state=reported"))["items"]
            return [case["id"] for case in items if case["point"] == point]

        (case,) = await until(ask, timeout=60)
        told = f"/v1/notifications?case={case}"
        await until(lambda: self.stack.get("notify", told), lambda found: found["items"], 60)
        return str(case)

    async def calls(self) -> int:
        return len(self.phone.taken)

    # How it stands

    async def figures(self) -> Any:
        query = "&".join(f"measure={measure}" for measure in Measure)
        groups = "&".join(f"group_by={group}" for group in ("day", "region", "level", "grade", "enterprise"))
        return (await self.stack.get("reporting", f"/v1/statistics?{query}&{groups}"))["rows"]

    async def ledger(self) -> list[Any]:
        headers = self.stack.headers()
        async with self.stack.session.get(self.stack.url("hazards", "/v1/cases/export"), headers=headers) as answer:
            lines = (await answer.text()).splitlines()
        return sorted((orjson.loads(line) for line in lines), key=lambda case: case["id"])

    async def board(self) -> list[Any]:
        return (await self.stack.get("hazards", "/v1/alarms?limit=500"))["items"]

    async def answers(self) -> dict[str, Any]:
        items = (await self.stack.get("notify", "/v1/notifications?limit=500"))["items"]
        return {each["id"]: (each["contact"], each["state"], each["acknowledged_by"]) for each in items}

    async def quiet(self, timeout: float = 120) -> None:
        """Waits until all has been read, said and told."""

        async def busy() -> dict[str, int]:
            left = {f"{service} to read": await self._lag(service) for service in SERVICES}
            counts = {f"{s}.outbox": f"SELECT count(*) FROM {s}.outbox WHERE sent_at IS NULL" for s in SERVICES}
            counts |= {f"{s}.recovery": f"SELECT count(*) FROM {s}.recovery" for s in SERVICES}
            counts["messages"] = (
                "SELECT count(*) FROM notify.deliveries WHERE state IN ('waiting', 'sending', 'behind')"
            )
            (row,) = await self.stack.sql("SELECT " + ", ".join(f'({q}) AS "{name}"' for name, q in counts.items()))
            return {name: count for name, count in (left | dict(row)).items() if count}

        for _ in range(3):  # what one has read another has still to hear
            await until(busy, lambda left: not left, timeout)
            await asyncio.sleep(0.3)

    async def _lag(self, service: str) -> int:
        async with self.stack.session.get(self.stack.url(service, "/metrics")) as answer:
            lines = [line for line in (await answer.text()).splitlines() if line.startswith("fengsui_lag_records{")]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@asynccontextmanager
async def on_site(stack: Stack) -> AsyncIterator[Site]:
    """The site of a stack, with the phone listening."""
    phone = Phone()
    app = web.Application()
    app.router.add_post("/{contact}", phone.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    phone.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield Site(stack, phone)
    finally:
        await runner.cleanup()
