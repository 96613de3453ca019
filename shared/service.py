"""How every service is put together: one process, one port, consumers, relay, timers and HTTP in one loop."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from faststream.kafka import KafkaBroker
from prometheus_client import generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared import audit, outbox, recovery, telemetry, tracing
from shared.access import Tokens, public
from shared.connections import mend_connections
from shared.consumer import Intake, Taking
from shared.database import Connection, Kind, Line, Pool, kind_of, pool
from shared.description import ANY_REFUSAL
from shared.due import count_stuck
from shared.errors import told
from shared.gauges import Gauges, Look, nothing_more
from shared.heads import BoundedBody, BoundedHead
from shared.jobs import Job, Jobs
from shared.opener import REQUEST_S
from shared.operations import operations, stages
from shared.outbox import Relay
from shared.problems import Problem, answer_problem, pointer
from shared.producer import Producer
from shared.repair import repairs
from shared.rights import declared
from shared.settings import Settings
from shared.statements import statements
from shared.timers import Clockwork, Timer
from shared.trail import trail
from shared.way import nothing_made, traces

PORTS = {"console": 0, "ingest": 1, "hazards": 2, "notify": 3, "reporting": 4, "duties": 5}
DRAIN_S = 8
GC_THRESHOLDS = (20_000, 20, 20)  # a batch makes thousands of objects, few of them in cycles
PRUNE = statements("shared")["prune_outbox"]
COUNT_DEAD = statements("shared")["count_dead"]

ANSWER_S = 10.0
OUTBOX_OLD_S = 30.0  # the relay looks every 50 ms, so one that lives has tried hundreds of times

Task = Job


@dataclass
class Service:
    """The parts of one service, and whether each can do its job."""

    name: str
    settings: Settings
    takings: Sequence[Taking] = ()
    timers: Sequence[Timer] = ()
    routes: Callable[[FastAPI], None] = lambda _app: None
    tasks: Callable[["Service"], Sequence[Task]] = lambda _service: ()
    stages: Callable[..., Awaitable[list[dict[str, Any]]]] = stages
    traced: Callable[..., Awaitable[dict[str, Any]]] = nothing_made
    look: Look = nothing_more
    finish: recovery.Finish = recovery.nothing_left
    wakes: list[Callable[[], None]] = field(default_factory=list)
    checks: list[Callable[[], str | None]] = field(default_factory=list)
    """Of the service's own tasks: why one cannot do its job, or None."""
    app: FastAPI = field(init=False)
    producer: Producer = field(init=False)
    relay: Relay = field(init=False)
    intakes: list[Intake] = field(init=False)
    ask: Pool = field(init=False)
    stopping: bool = False
    _broker: KafkaBroker | None = None
    _connected: bool = False
    _database_fault: str | None = "not asked yet"
    _asked_at: float = 0.0
    _outbox_age: float = 0.0
    _clockworks: Sequence[Clockwork] = ()
    _jobs: Jobs | None = None

    def __post_init__(self) -> None:
        self.producer = Producer(self.settings.kafka, self.name)
        self.relay = Relay(self.settings.postgres_work, self.name, self.producer)
        member = f"{socket.gethostname()}:{port_of(self.name, self.settings)}"
        self.intakes = [Intake(self.name, t, self.settings.postgres_work, self.wake, member) for t in self.takings]
        self.app = application(self)

    def wake(self) -> None:
        """Something was committed that the relay, or a task of the service, may have to send."""
        self.relay.wake()
        for wake in self.wakes:
            wake()

    def reasons(self) -> list[str]:
        """Why the service cannot do its job now; empty when it can."""
        found = ["stopping"] if self.stopping else []
        if self._database_fault:
            found.append(f"PostgreSQL: {self._database_fault}")
        elif (silent := time.monotonic() - self._asked_at) > ANSWER_S:
            found.append(f"PostgreSQL: no answer for {silent:.0f} s")
        if not self.producer.ready:
            found.append("Kafka: no producer that the broker answers")
        if self.intakes and not self._connected:
            found.append("Kafka: the consumers are not connected")
        if self._outbox_age > OUTBOX_OLD_S:
            found.append(f"outbox: the oldest event has waited {self._outbox_age:.0f} s to be sent")
        checks = [*(clockwork.reason for clockwork in self._clockworks), *self.checks]
        found += [reason for check in checks if (reason := check())]
        found += self._jobs.reasons() if self._jobs else []
        return found + [reason for intake in self.intakes for reason in intake.reasons()]

    # Life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything but HTTP, for as long as the context lasts."""
        self.ask = await pool(self.settings.postgres_ask, f"{self.name}.ask")
        clockworks = [
            Clockwork(self.name, timer, self.settings.postgres_work, self.wake)
            for timer in (
                *self.timers,
                Timer("prune_outbox", 60.0, _prune, batch=5000),
                Timer("anchor_audit", 60.0, partial(audit.anchor, service=self.name)),
                Timer("recover", 1.0, partial(recovery.turn, finish=self.finish), batch=1, in_recovery=True),
            )
        ]
        jobs: list[Task] = [
            self._keep_producer,
            self._keep_consumers,
            self._keep_watch,
            Gauges(self.name, self.settings, self.look).run,
            self.relay.run,
            *(intake.run for intake in self.intakes),
            *(clockwork.run for clockwork in clockworks),
            *self.tasks(self),
        ]
        self._clockworks, self._jobs = clockworks, Jobs(jobs)
        telemetry.log.info("started", port=port_of(self.name, self.settings))
        try:
            yield
        finally:
            self.stopping = True
            if self._broker is not None:
                with suppress(Exception):
                    await asyncio.wait_for(self._broker.stop(), DRAIN_S)
            await self._jobs.stop()
            await self.producer.stop()
            self.ask.terminate()
            telemetry.log.info("stopped")

    async def _keep_producer(self) -> None:
        while True:
            with suppress(KafkaError, TimeoutError, OSError):
                await self.producer.keep()
            await asyncio.sleep(0.5)

    async def _keep_consumers(self) -> None:
        """Connects the consumers, from the beginning each time until it succeeds."""
        while self.intakes and not self._connected and not self.stopping:
            broker = KafkaBroker(
                self.settings.kafka,
                client_id=self.name,
                consumer_only=True,
                request_timeout_ms=int(REQUEST_S * 1000),
                metadata_max_age_ms=5_000,  # a topic that is made again gets its readers back that soon
                allow_auto_create_topics=False,
                logger=None,
            )
            for intake in self.intakes:
                intake.subscribe(broker)
            self._broker = broker
            try:
                await broker.start()
                self._connected = True
            except (KafkaError, TimeoutError, OSError) as error:
                telemetry.log.warning("consumers_not_connected", error=type(error).__name__)
                with suppress(Exception):
                    await broker.stop()
                await asyncio.sleep(1)
        await asyncio.Event().wait()

    async def _keep_watch(self) -> None:
        line = Line(self.settings.postgres_work, f"{self.name}.watch")
        try:
            while True:
                try:
                    db = await line.get()
                    state = await db.fetchrow(outbox.STATE)
                    assert state is not None
                    telemetry.OUTBOX_DEPTH.set(state["depth"])
                    telemetry.OUTBOX_AGE.set(state["age"])
                    self._outbox_age = state["age"]
                    stuck = await count_stuck(db)
                    for timer in self.timers:
                        telemetry.TIMER_STUCK.labels(timer.name).set(stuck.get(timer.name, 0))
                    telemetry.DEAD_LETTERS.set(await db.fetchval(COUNT_DEAD))
                    self._database_fault, self._asked_at = None, time.monotonic()
                except Exception as error:
                    self._database_fault = told(error)
                    line.drop()
                telemetry.READY.set(not self.reasons())
                await asyncio.sleep(1)
        finally:
            await line.close()


async def _prune(db: Connection) -> int:
    return int((await db.execute(PRUNE, 5000)).split()[-1])


def port_of(name: str, settings: Settings) -> int:
    """The port a service listens on."""
    return settings.port or settings.port_base + PORTS[name]


def application(service: Service) -> FastAPI:
    """The HTTP face that every service has, before its own routes."""
    app = FastAPI(
        title=f"Fengsui {service.name}",
        version="1",
        docs_url=None,
        redoc_url=None,
        responses=ANY_REFUSAL,
    )
    app.add_middleware(BoundedBody)
    app.state.service = service
    app.state.tokens = Tokens(service.settings.jwks)
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(asyncpg.DataError, _no_value)
    app.add_exception_handler(Exception, _unexpected)

    @app.get("/healthz", tags=["health"], dependencies=[Depends(public)])
    async def healthz() -> dict[str, bool]:
        """Alive."""
        return {"alive": True}

    @app.get("/readyz", tags=["health"], dependencies=[Depends(public)])
    async def readyz() -> Response:
        """Can do its job now, or why not."""
        reasons = service.reasons()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @app.get("/metrics", tags=["health"], dependencies=[Depends(public)])
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.include_router(operations(service.name))
    app.include_router(repairs(service.name))
    app.include_router(traces(service.name))
    app.include_router(trail(service.name))
    service.routes(app)
    list(declared(app))  # a route on which nobody said who may ask it ends the start here
    return app


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = first["loc"][1:] if first["loc"][:1] in (("body",), ("query",), ("path",)) else first["loc"]
    return Problem(422, "invalid", str(first["msg"]), pointer=pointer(tuple(place))).response()


async def _no_value(request: Request, error: Exception) -> Response:
    """NUL in a text, a moment past the calendar, a number past its column: the question's fault, not ours."""
    telemetry.log.warning("value_refused", path=request.url.path, detail=str(error)[:300])
    return Problem(422, "invalid", "a value is not one that can be stored or compared here").response()


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "refused")
    closing = {"Connection": "close"} if error.status_code == 413 else {}  # what it would still send is not read
    return Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}) | closing).response()


async def _unexpected(request: Request, error: Exception) -> Response:
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError) and kind_of(error) is Kind.PASSING:
        telemetry.log.warning("request_waits", path=request.url.path, error=type(error).__name__)
        detail = "the database does not answer now: whether a change was made is unknown, look before you repeat it"
        return Problem(503, "database_unreachable", detail, headers={"Retry-After": "2"}).response()
    telemetry.log.error(
        "request_failed", path=request.url.path, error=type(error).__name__, detail=str(error)[:300], exc_info=error
    )
    return Problem(500, "internal", "the request failed here; it is logged").response()


class _Server(uvicorn.Server):
    """uvicorn, that says on readyz that it is stopping before it stops."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._service.stopping = True
        super().handle_exit(sig, frame)


def serve(service: Service) -> None:
    """Runs the service until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        service.app,
        host=service.settings.host,
        port=port_of(service.name, service.settings),
        loop="uvloop",
        http=BoundedHead,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=bool(service.settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in service.settings.trusted_proxies],
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=75,
    )
    server = _Server(config, service)

    async def main() -> None:
        async with service.running():
            gc.collect()
            gc.freeze()  # what was made at the start stays: looking through it again cost an eighth of the door
            gc.set_threshold(*GC_THRESHOLDS)
            await server.serve()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises them again when it is done; we are not yet
    mend_connections()
    tracing.start(service.name, f"{socket.gethostname()}:{config.port}", service.settings)
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(main())
    finally:
        tracing.stop()
