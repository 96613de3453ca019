"""What a form sends, read within bounds before anybody is believed."""

from urllib.parse import parse_qsl

from fastapi import Request

from shared.problems import Problem

LARGEST = 64 * 1024


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form; of a field that is there twice the last."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem(415, "unsupported_type", "a form is wanted")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise Problem(413, "too_large", f"a form has at most {LARGEST // 1024} KiB")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError as error:
        raise Problem(422, "invalid", "the form cannot be read") from error
