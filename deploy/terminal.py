"""What a person sees of long lists and long work; nothing from outside can write into their terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

UNBOUNDED = 1000  # columns; a pipe must not cut what a terminal would wrap


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, err: bool = False) -> None:
    """Rows under their headings."""
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else UNBOUNDED
    console = Console(file=stream, width=width, highlight=False)
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*(Text(plain(cell)) for cell in row))
    with console.capture() as drawn:
        console.print(grid)
    stream.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())


def plain(value: object) -> str:
    """A value as one line, without characters that move a cursor or turn the direction of writing."""
    return "".join(c if c.isprintable() else "·" for c in ("" if value is None else str(value)))


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A bar on standard error while it is a terminal: say how far it is of the total, and a word beside it."""
    if not sys.stderr.isatty():
        yield lambda done, word: None
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[word]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, word="")
        yield lambda done, word: bar.update(task, completed=done, word=word)
