"""The telephone of the demo's officers: takes webhooks that are well signed, and shows the newest 200."""

import argparse
import base64
import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from deploy.demo.keys import phone_key, secret_of
from deploy.demo.rota import PHONE

KEPT: Final = 200
_TOLERANCE_S: Final = 300  # Standard Webhooks leaves it to the receiver; its libraries take five minutes

_SHANGHAI: Final = timezone(timedelta(hours=8))
_KINDS: Final = {"created": "新通知", "escalated": "升级", "acknowledged": "已应答", "ended": "已结束"}
_LEVELS: Final = {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}


@dataclass(frozen=True, slots=True)
class Message:
    """One webhook as it came; `times` counts the deliveries of the same `webhook-id`."""

    id: str
    contact: str
    at: int
    body: dict[str, Any]
    times: int = 1


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the body bears the secret's signature (Standard Webhooks, v1) of the last five minutes."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(now - int(stamp)) > _TOLERANCE_S:
        return False
    signed = b".".join((headers.get("webhook-id", "").encode(), stamp.encode(), body))
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    expected = "v1," + base64.b64encode(digest).decode()
    return any(
        hmac.compare_digest(expected.encode(), given.encode()) for given in headers.get("webhook-signature", "").split()
    )


def line(message: Message) -> str:
    """The message as its officer reads it."""
    kind = str(message.body.get("type", "")).removeprefix("notification.")
    told = message.body.get("data") or {}
    at = datetime.fromtimestamp(message.at, UTC).astimezone(_SHANGHAI)
    again = f" (第{message.times}次)" if message.times > 1 else ""
    level = _LEVELS.get(str(told.get("level")), "")
    return f"{at:%m-%d %H:%M:%S} {message.contact} {_KINDS.get(kind, kind)} {level} {told.get('title', '')}{again}"


def application(key: bytes, clock: Callable[[], float] = time.time) -> web.Application:
    """`POST /CONTACT` takes a webhook; `GET /` shows what came, as text, or as JSON lines with `?format=jsonl`."""
    inbox: deque[Message] = deque(maxlen=KEPT)

    async def take(request: web.Request) -> web.Response:
        contact, body, now = request.match_info["contact"], await request.read(), clock()
        if not is_signed(secret_of(key, contact), request.headers, body, now):
            return web.json_response({"code": "bad_signature"}, status=401)
        message = Message(request.headers["webhook-id"], contact, int(now), orjson.loads(body))
        known = next((m for m in inbox if m.id == message.id), None)
        if known:
            inbox[inbox.index(known)] = replace(known, times=known.times + 1)
        else:
            inbox.append(message)
        return web.Response(status=204)

    async def show(request: web.Request) -> web.Response:
        newest_first = reversed(inbox)
        if request.query.get("format") == "jsonl":
            text = "".join(orjson.dumps(m).decode() + "\n" for m in newest_first)
            return web.Response(text=text, content_type="application/x-ndjson")
        text = "\n".join(map(line, newest_first)) or "还没有收到通知。"
        return web.Response(text=text + "\n")

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"ready": True, "reasons": []})

    app = web.Application()
    app.add_routes(
        [
            web.get("/", show),
            web.get("/readyz", ready),
            web.get("/healthz", ready),
            web.post("/{contact}", take),
        ]
    )
    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.phone", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    chosen = parser.parse_args()
    app = application(phone_key(chosen.home))
    web.run_app(app, host="127.0.0.1", port=chosen.port_base + PHONE, access_log=None, print=None)


if __name__ == "__main__":
    main()
