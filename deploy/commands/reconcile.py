"""`fengsui reconcile`: proves of every acknowledged event that it is nowhere missing and nowhere doubled."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
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
UNDER_WAY = 4
"""Pieces of the file that are asked for at the same time: each service works while the others answer."""
AGAIN_S = 0.5
LATE_KEPT = 20_000
"""Events that are remembered to be asked for again. Where more are missing, more than lateness is wrong."""

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

    report, begun = Report(), time.monotonic()

    async def work(stack: client.Client) -> None:
        late: list[tuple[Pushed, list[Verdict]]] = []
        with file.open("rb") as stream, terminal.progress(file.name, file.stat().st_size) as show:
            async for piece, ways, place in pipelined(stack, pieces(file, stream)):
                for event, verdicts in zip(piece, ways, strict=True):
                    if is_late(verdicts) and len(late) < LATE_KEPT:
                        late.append((event, verdicts))
                    else:
                        report.add(event, verdicts)
                show(place, f"{report.events} events")
        for event, verdicts in await settled(stack, late, time.monotonic() + wait):
            report.add(event, verdicts)

    client.run(home, url, token, work)
    if as_json:
        typer.echo(orjson.dumps(report.json(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report, time.monotonic() - begun)
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


def pieces(file: Path, stream: BinaryIO) -> Iterator[tuple[list[Pushed], int]]:
    """The file's events by thousands, each piece with the place in the file behind it."""
    events = named(file, stream)
    while piece := list(islice(events, AT_ONCE)):
        yield piece, stream.tell()


async def pipelined(
    stack: "Client", given: Iterable[tuple[list[Pushed], int]]
) -> AsyncIterator[tuple[list[Pushed], list[list[Verdict]], int]]:
    """Every piece with its verdicts, in order, while the next few are asked for."""
    waiting: deque[tuple[list[Pushed], asyncio.Task[list[list[Verdict]]], int]] = deque()
    try:
        for piece, place in given:
            waiting.append((piece, asyncio.create_task(asked(stack, piece)), place))
            if len(waiting) == UNDER_WAY:
                first, task, behind = waiting.popleft()
                yield first, await task, behind
        while waiting:
            first, task, behind = waiting.popleft()
            yield first, await task, behind
    finally:
        for _, task, _ in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task, _ in waiting), return_exceptions=True)


def is_late(verdicts: Sequence[Verdict]) -> bool:
    """Whether it may still be on its way."""
    return any(verdict.outcome is Outcome.MISSING for verdict in verdicts)


async def settled(
    stack: "Client", known: Sequence[tuple[Pushed, list[Verdict]]], until: float
) -> list[tuple[Pushed, list[Verdict]]]:
    """The events with their verdicts; what is missing is asked for again until then (a monotonic time)."""
    found = list(known)
    while time.monotonic() < until and (late := [n for n, (_, verdicts) in enumerate(found) if is_late(verdicts)]):
        await asyncio.sleep(AGAIN_S)
        for first in range(0, len(late), AT_ONCE):
            places = late[first : first + AT_ONCE]
            events = [found[place][0] for place in places]
            for place, answer in zip(places, zip(events, await asked(stack, events), strict=True), strict=True):
                found[place] = answer
    return found


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
    return [judge(way) for way in ways]


def _show(report: Report, seconds: float) -> None:
    from deploy import terminal  # noqa: PLC0415

    rows = []
    for stage, count in report.stages.items():
        held = ", ".join(f"{number} {reason}" for reason, number in count.held.most_common())
        rows.append((stage, count.seen, held or 0, count.missing, count.doubled))
    terminal.table(("stage", "seen", "held", "missing", "doubled"), rows)
    typer.echo(
        f"{report.events} events in {seconds:.1f} s: "
        + ("none missing, none doubled" if report.clean else "not all are well")
    )
    for outcome, first in report.wrong.items():
        if first:
            typer.echo(f"{outcome} (the first {SHOWN} at most):")
            lines = [(event.line, stage, event.source, event.id) for event, stage in first]
            terminal.table(("line", "stage", "source", "id"), lines)
