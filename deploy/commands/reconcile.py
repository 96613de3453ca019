"""`fengsui reconcile`: proves of every acknowledged event that it is nowhere missing and nowhere doubled."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import orjson
import typer

from deploy.options import DEFAULT_HOME, Home, Token, Url
from deploy.reconciliation import SHOWN, Outcome, Pushed, Report, Verdict, judge
from deploy.refusal import Refusal

if TYPE_CHECKING:
    from deploy.client import Client

AT_ONCE = 2000
AGAIN_S = 0.5

NAMELESS = 'line {line} of {file} is no JSON object with a "source" and an "id"'


def register(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    file: Annotated[Path, typer.Argument(help='One {"source":…,"id":…} a line; other members are ignored.')],
    wait: Annotated[float, typer.Option(min=0, help="Seconds for what is still on its way.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    token: Token = None,
) -> None:
    """Ask every service for every event of a file; exits 1 when any is missing or doubled."""
    from deploy import client, terminal  # noqa: PLC0415 (only what a command needs is loaded)

    report = Report()

    async def work(stack: client.Client) -> None:
        until = time.monotonic() + wait
        with file.open("rb") as stream, terminal.progress(file.name, file.stat().st_size) as show:
            events = named(file, stream)
            while chunk := list(islice(events, AT_ONCE)):
                for event, verdicts in zip(chunk, await settled(stack, chunk, until), strict=True):
                    report.add(event, verdicts)
                show(stream.tell(), f"{report.events} events")

    client.run(home, url, token, work)
    if as_json:
        typer.echo(orjson.dumps(report.json(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report)
    raise typer.Exit(0 if report.clean else 1)


def named(file: Path, stream: BinaryIO) -> Iterator[Pushed]:
    """The events that a file names, a line at a time."""
    for line, text in enumerate(stream, 1):
        if not text.strip():
            continue
        try:
            event = orjson.loads(text)
            source, pushed = event["source"], event["id"]
        except (ValueError, TypeError, KeyError) as error:
            raise Refusal(NAMELESS.format(line=line, file=file)) from error
        if not (isinstance(source, str) and isinstance(pushed, str)):
            raise Refusal(NAMELESS.format(line=line, file=file))
        yield Pushed(line, source, pushed)


async def settled(stack: "Client", events: Sequence[Pushed], until: float) -> list[list[Verdict]]:
    """The verdicts on each event; what is missing is asked for again until then (a monotonic time)."""
    verdicts = await asked(stack, events)
    while time.monotonic() < until:
        late = [place for place, found in enumerate(verdicts) if any(v.outcome is Outcome.MISSING for v in found)]
        if not late:
            break
        await asyncio.sleep(AGAIN_S)
        for place, found in zip(late, await asked(stack, [events[place] for place in late]), strict=True):
            verdicts[place] = found
    return verdicts


async def asked(stack: "Client", events: Sequence[Pushed]) -> list[list[Verdict]]:
    """The verdicts on each event as every service sees it now."""

    async def answers(service: str, of: Sequence[Pushed]) -> list[dict[str, object]]:
        question = {"events": [{"source": event.source, "id": event.id} for event in of]}
        items: list[dict[str, object]] = (await stack.post(service, "/v1/verdicts", question))["items"]
        return items

    stages = ("hazards", "notify", "reporting")
    found = await asyncio.gather(*(answers(stage, events) for stage in stages))
    ways = [dict(zip(stages, way, strict=True)) for way in zip(*found, strict=True)]
    unheard = [place for place, way in enumerate(ways) if not way["hazards"]["verdicts"]]
    if unheard:
        for place, answer in zip(unheard, await answers("ingest", [events[p] for p in unheard]), strict=True):
            ways[place]["ingest"] = answer
    times = Counter((event.source, event.id) for event in events)
    return [judge(way, times[event.source, event.id]) for event, way in zip(events, ways, strict=True)]


def _show(report: Report) -> None:
    from deploy import terminal  # noqa: PLC0415

    rows = []
    for stage, count in report.stages.items():
        held = ", ".join(f"{number} {reason}" for reason, number in count.held.most_common())
        rows.append((stage, count.seen, held or 0, count.missing, count.doubled))
    terminal.table(("stage", "seen", "held", "missing", "doubled"), rows)
    typer.echo(f"{report.events} events: " + ("none missing, none doubled" if report.clean else "not all are well"))
    for outcome, first in report.wrong.items():
        if first:
            typer.echo(f"{outcome} (the first {SHOWN} at most):")
            lines = [(event.line, stage, event.source, event.id) for event, stage in first]
            terminal.table(("line", "stage", "source", "id"), lines)
