"""A TCP proxy that can be a bad network: cut, slow, silent or half open, and whole again."""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Final

CHUNK: Final = 256 * 1024


class Weather(StrEnum):
    """What the network between two ends does."""

    FAIR = "fair"
    CUT = "cut"  # connections are reset, new ones refused
    SLOW = "slow"  # every piece comes late
    SILENT = "silent"  # connections stand and are made, nothing comes through until it clears
    HALF_OPEN = "half_open"  # the far end is gone, and nobody tells the near one


class Proxy:
    """One listening port in front of another port of this machine."""

    def __init__(self, name: str, port: int, target: int) -> None:
        self.name, self.port, self.target = name, port, target
        self.weather = Weather.FAIR
        self.delay_s = 0.0
        self._clear = asyncio.Event()
        self._clear.set()
        self._server: asyncio.Server | None = None
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK)

    async def stop(self) -> None:
        """Listens no more, and resets what is under way."""
        if self._server is not None:
            self._server.close()
        self._reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def turn(self, weather: Weather, delay_s: float = 0.0) -> None:
        """Changes what becomes of the connections there are, and of new ones."""
        self.weather, self.delay_s = weather, delay_s
        if weather is Weather.SILENT:
            self._clear.clear()
        else:
            self._clear.set()
        if weather is Weather.CUT:
            self._reset()
        if weather is Weather.HALF_OPEN:
            for _, far in self._links:
                far.transport.abort()

    @property
    def connections(self) -> int:
        """How many pass now."""
        return len(self._links)

    def _reset(self) -> None:
        for link in list(self._links):
            for end in link:
                end.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, near)
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self.weather is Weather.CUT:
            near.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
        except OSError:
            near.transport.abort()
            return
        link = (near, far)
        self._links.add(link)
        answers = asyncio.create_task(self._answer(far_reader, near))
        try:
            await self._carry(reader, far)
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            self._links.discard(link)
            for end in link:
                end.close()

    async def _answer(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        await self._carry(reader, near)
        if self.weather is not Weather.HALF_OPEN:  # then nobody tells the near end, whatever becomes of the weather
            near.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, piece by piece, until its source ends; what a lost end would hear is swallowed."""
        with suppress(OSError):
            while piece := await reader.read(CHUNK):
                if self.weather is Weather.SLOW:
                    await asyncio.sleep(self.delay_s)
                await self._clear.wait()
                if not writer.transport.is_closing():
                    writer.write(piece)
                    with suppress(OSError):
                        await writer.drain()
