"""Requests are bounded as they arrive, head and body, for the parts below have no limit of their own."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT: Final = 64 * 1024
FIELD_LIMIT: Final = 200
BODY_LIMIT: Final = 32 * 1024 * 1024  # the largest import; the door's own limit is lower


class BoundedBody:
    """Ends a request whose body grows past the limit, before anybody is asked who sends it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_LIMIT:
                raise HTTPException(413, "at most 32 MiB at once")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, that answers 400 to a larger head and closes the connection."""

    _size = 0
    _fields = 0
    _unended = 0
    """Bytes that came while a head had not ended."""
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """In pieces, so that a head that does not end is noticed soon."""
        for begin in range(0, len(data), HEAD_LIMIT):
            piece = data[begin : begin + HEAD_LIMIT]
            super().data_received(piece)
            if self.transport.is_closing():
                return
            self._unended = self._unended + len(piece) if self._in_head else 0
            if self._unended > 2 * HEAD_LIMIT:
                self.send_400_response("The head of the request is too large.")
                return

    def on_message_begin(self) -> None:
        self._size = self._fields = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._unended = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > HEAD_LIMIT or self._fields > FIELD_LIMIT:
            raise ValueError("the head is too large")  # the parser makes a 400 of it
