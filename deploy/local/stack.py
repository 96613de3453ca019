"""The stack of a home: its servers, services and demo, as steps that a supervisor takes stage by stage."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local import plan, secrets, walls
from deploy.local.claim import Part
from deploy.local.kafka import Kafka
from deploy.local.plan import Servers, Service
from deploy.local.postgres import Postgres
from deploy.local.probes import Probe
from deploy.local.processes import Child
from deploy.refusal import Refusal
from deploy.tokens import ensure_keys
from shared.migrate import migrate
from shared.topics import ensure_topics

PASSWORD = "PostgreSQL refuses the password in {file}: put the saved copy back"
SCHEMAS = "the schemas cannot be brought up to date: {reason}"
TOPICS = "the topics cannot be made: {reason}"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the stack, and what is done before it starts and once it is ready."""

    name: str
    child: Child | None = None
    """None for a server that is not ours, or for what is only done."""
    outside: Probe | None = None
    before: Callable[[], None] | None = None
    """Done before every start of the child; may block."""
    after: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Stages follow each other; the steps of one are taken at the same time."""

    port_base: int
    demo: bool
    stages: Sequence[Sequence[Step]]
    addresses: Callable[[], Sequence[str]]

    @property
    def children(self) -> list[Child]:
        return [step.child for stage in self.stages for step in stage if step.child]

    @property
    def parts(self) -> list[Part]:
        parts = []
        for step in (step for stage in self.stages for step in stage):
            if step.child:
                parts.append(Part(step.name, step.child.port, step.child.probe))
            elif step.outside:
                parts.append(Part(step.name, step.outside.port, step.outside))
        return parts


def build(
    home: Path, port_base: int, demo: bool, services: Sequence[Service], environ: Mapping[str, str], say: Say
) -> Stack:
    """Chooses ports and makes secrets where the home has none yet; starts nothing."""
    ensure_keys(home)
    passwords = {role: secrets.password(home, role) for role in walls.roles()}
    kafka, bootstrap = _kafka(home, environ)
    postgres, admin_dsn = _postgres(home, environ, services, passwords, say)
    servers = Servers(bootstrap, admin_dsn, passwords)
    ours = [plan.service_child(service, home, port_base, servers, environ, demo) for service in services]
    if demo:
        ours.append(plan.phone_child(home, port_base, environ))
    stages = [[postgres, kafka], [Step(child.name, child) for child in ours]]
    if demo:
        accounts = walls.dsn(admin_dsn, "console_work", passwords["console_work"])
        stages.append([Step("seed", after=lambda: _seed(home, port_base, accounts))])
        stages.append([Step(plan.FEED, plan.feed_child(home, port_base, environ))])
    return Stack(port_base, demo, stages, lambda: _addresses(home, port_base, ours, demo))


def _kafka(home: Path, environ: Mapping[str, str]) -> tuple[Step, str]:
    if given := environ.get("FENGSUI_KAFKA"):
        return Step("kafka", outside=plan.outside_kafka(given), after=lambda: _topics(given)), given
    kafka = Kafka(home)

    async def topics() -> None:
        await kafka.refuse_if_forgotten()
        await _topics(kafka.bootstrap)

    return Step("kafka", kafka.child(), before=kafka.prepare, after=topics), kafka.bootstrap


def _postgres(
    home: Path, environ: Mapping[str, str], services: Sequence[Service], passwords: Mapping[str, str], say: Say
) -> tuple[Step, str]:
    if given := environ.get("FENGSUI_POSTGRES"):
        outside = plan.outside_postgres(given)
        return Step("postgres", outside=outside, after=lambda: _schemas(given, services, passwords)), given
    postgres = Postgres(home)

    async def schemas() -> None:
        try:
            await _schemas(postgres.admin_dsn, services, passwords)
        except asyncpg.InvalidPasswordError:
            raise Refusal(PASSWORD.format(file=secrets.folder(home) / "postgres.postgres")) from None

    step = Step("postgres", postgres.child(), before=lambda: postgres.prepare(say), after=schemas)
    return step, postgres.admin_dsn


async def _schemas(admin_dsn: str, services: Sequence[Service], passwords: Mapping[str, str]) -> None:
    try:
        await walls.bootstrap(admin_dsn, passwords)
        if any(service.migrates for service in services):
            for name in walls.SERVICES:
                await migrate(walls.in_our_database(admin_dsn), name)
    except asyncpg.InvalidPasswordError:
        raise
    except Exception as error:
        raise Refusal(SCHEMAS.format(reason=_reason(error))) from error


async def _topics(bootstrap: str) -> None:
    try:
        await ensure_topics(bootstrap)
    except Exception as error:
        raise Refusal(TOPICS.format(reason=_reason(error))) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


async def _seed(home: Path, port_base: int, accounts: str) -> None:
    from deploy.demo import make_accounts, seed  # noqa: PLC0415 (a stack without the demo does not load it)

    await make_accounts(home, accounts)
    await seed(home, port_base)


def _addresses(home: Path, port_base: int, children: Sequence[Child], demo: bool) -> list[str]:
    lines = [f"  {child.name:<10} http://127.0.0.1:{child.port}" for child in children]
    if demo:
        from deploy.demo import curl_line, logins  # noqa: PLC0415

        lines += [f"log in at http://127.0.0.1:{port_base} as:"]
        lines += [f"  {login.name:<10} {password}  ({login.title})" for login, password in logins(home)]
        lines += ["a red alarm by hand:", f"  {curl_line(home, port_base)}"]
    return lines
