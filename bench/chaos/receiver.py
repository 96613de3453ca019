"""A receiver of webhooks that writes down each one before it answers, and does not always answer well."""

import argparse
import asyncio
import random
from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

SLOW_S: Final = 6.5  # longer than the sender waits
TAKEN, BROKEN, BUSY, SLOW = "taken", "broken", "busy", "slow"
SHARES: Final = {TAKEN: 96.0, BROKEN: 2.5, BUSY: 1.4, SLOW: 0.1}


def application(file: Path, seed: int) -> web.Application:
    """`POST /CONTACT`; each line of the file is one call: webhook-id, notification, type, and how it was answered."""
    out, chance = file.open("ab", buffering=0), random.Random(seed)

    async def take(request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        (how,) = chance.choices(list(SHARES), list(SHARES.values()))
        line = {
            "id": request.headers["webhook-id"],
            "notification": body["data"]["id"],
            "message": body["type"].removeprefix("notification."),
            "how": how,
        }
        out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if how == SLOW:
            await asyncio.sleep(SLOW_S)
        if how == BUSY:
            return web.Response(status=429, headers={"Retry-After": "1"})
        return web.Response(status=500 if how == BROKEN else 204)

    app = web.Application()
    app.add_routes([web.post("/{contact}", take)])
    return app


def main() -> None:
    """Until told to end."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos.receiver", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    chosen = parser.parse_args()
    app = application(chosen.file, chosen.seed)
    web.run_app(app, host="127.0.0.1", port=chosen.port, access_log=None, print=None)


if __name__ == "__main__":
    main()
