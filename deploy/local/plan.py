"""What shall run, with which settings, and in which order it begins and ends; decided without looking at anything."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import walls
from deploy.local.probes import Probe
from deploy.local.processes import Child
from deploy.refusal import Refusal

KAFKA_SETTING = "FENGSUI_KAFKA should be host:port, or several of them with commas"
POSTGRES_SETTING = "FENGSUI_POSTGRES should be postgresql://ADMIN:PASSWORD@HOST:PORT/DATABASE"

PHONE_OFFSET = 9
FEED, PHONE = "feed", "phone"
LAST_TO_STOP = ("kafka", "postgres")
FIRST_TO_STOP = (FEED,)
OPERATORS_ONLY = ("FENGSUI_POSTGRES", "FENGSUI_TOKEN")  # an admin's DSN or token is nothing for a service


def python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", module, *arguments)  # -P: the working directory is no place for code


@dataclass(frozen=True, slots=True)
class Service:
    """One of our processes: where it listens, and what starts it."""

    name: str
    offset: int
    """From the port base."""
    argv: tuple[str, ...]
    migrates: bool = True


SERVICES = tuple(
    Service(name, offset, python(f"services.{name}"))
    for offset, name in enumerate(("console", "ingest", "hazards", "notify", "reporting"))
)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Kafka and PostgreSQL are, whether they are ours or were there before."""

    kafka: str
    admin_dsn: str
    passwords: Mapping[str, str]


def service_child(
    service: Service, home: Path, port_base: int, servers: Servers, environ: Mapping[str, str], demo: bool
) -> Child:
    """A service knows its own two roles, and never the administrator."""
    port = port_base + service.offset
    env = {name: value for name, value in environ.items() if name not in OPERATORS_ONLY}
    env |= {
        "FENGSUI_HOME": str(home),
        "FENGSUI_PORT": str(port),
        "FENGSUI_PORT_BASE": str(port_base),
        "FENGSUI_KAFKA": servers.kafka,
        "FENGSUI_JWKS": environ.get("FENGSUI_JWKS") or str(home / "secrets" / "jwks.json"),
        "PYTHONUNBUFFERED": "1",
    }
    for kind in ("work", "ask"):
        role = f"{service.name}_{kind}"
        if role in servers.passwords:
            env[f"FENGSUI_POSTGRES_{kind.upper()}"] = walls.dsn(servers.admin_dsn, role, servers.passwords[role])
    if demo and service.name == "notify":
        allowed = environ.get("FENGSUI_WEBHOOK_ALLOW")
        env["FENGSUI_WEBHOOK_ALLOW"] = f"{allowed},127.0.0.0/8" if allowed else "127.0.0.0/8"
    return Child(service.name, service.argv, env, port, Probe("http", "127.0.0.1", port))


def phone_child(home: Path, port_base: int, environ: Mapping[str, str]) -> Child:
    port = port_base + PHONE_OFFSET
    argv = python("deploy.demo.phone", "--home", str(home), "--port-base", str(port_base))
    return Child(PHONE, argv, _without_settings(environ), port, Probe("http", "127.0.0.1", port))


def feed_child(home: Path, port_base: int, environ: Mapping[str, str]) -> Child:
    argv = python("deploy.demo.feed", "--home", str(home), "--port-base", str(port_base))
    return Child(FEED, argv, _without_settings(environ))


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in environ.items() if not name.startswith("FENGSUI_")}
    return ours | {"PYTHONUNBUFFERED": "1"}


def outside_kafka(given: str) -> Probe:
    """How to ask a Kafka that is not ours: by the first of its bootstrap servers."""
    if not re.fullmatch(r"[^\s:,]+:[0-9]{1,5}(,[^\s:,]+:[0-9]{1,5})*", given):
        raise Refusal(KAFKA_SETTING)
    host, _, port = given.split(",", maxsplit=1)[0].rpartition(":")
    return Probe("kafka", host, int(port))


def outside_postgres(given: str) -> Probe:
    """How to ask a PostgreSQL that is not ours; the setting holds a password, so no sentence repeats it."""
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        raise Refusal(POSTGRES_SETTING) from None
    if parts.scheme not in ("postgresql", "postgres") or not host:
        raise Refusal(POSTGRES_SETTING)
    return Probe("postgres", host, port)


def stopping_order(names: Iterable[str]) -> list[list[str]]:
    """Groups that end together: the feed, then all of ours, then what they stand on."""
    left = sorted(set(names))
    services = [name for name in left if name not in (*FIRST_TO_STOP, *LAST_TO_STOP)]
    groups: Sequence[list[str]] = (
        [name for name in FIRST_TO_STOP if name in left],
        services,
        *([name] for name in LAST_TO_STOP if name in left),
    )
    return [group for group in groups if group]


def backoff(deaths: int) -> float:
    """Seconds until a child is started again: 0.2 after its first death, doubling to 5."""
    return min(5.0, 0.2 * 2.0 ** max(0, deaths - 1))
