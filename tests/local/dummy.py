"""A service that answers /readyz at FENGSUI_PORT and says in `seen.NAME` which settings it was given."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import orjson


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    settings = {name: value for name, value in os.environ.items() if name.startswith("FENGSUI_")}
    (Path(os.environ["FENGSUI_HOME"]) / f"seen.{sys.argv[1]}").write_bytes(orjson.dumps(settings))
    HTTPServer(("127.0.0.1", int(os.environ["FENGSUI_PORT"])), Answer).serve_forever()
