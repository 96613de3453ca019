"""What a refusal looks like: RFC 9457, with a stable code and a pointer to the culprit."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


class Problem(Exception):
    """A refusal: HTTP status, stable `code`, one sentence, and where it applies a JSON pointer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = headers or {}
        self.more = more | ({"pointer": pointer} if pointer is not None else {})

    def body(self) -> bytes:
        """The problem as JSON."""
        return orjson.dumps(
            {
                "type": f"urn:fengsui:problem:{self.code}",
                "title": self.code.replace("_", " "),
                "status": self.status,
                "code": self.code,
                "detail": self.detail,
                **self.more,
            },
            default=str,
        )

    def response(self) -> Response:
        """The answer that carries it."""
        return Response(self.body(), self.status, self.headers, media_type="application/problem+json")


async def answer_problem(_request: Request, error: Exception) -> Response:
    """FastAPI's handler for Problem."""
    assert isinstance(error, Problem)
    return error.response()


def pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) of a pydantic location."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
