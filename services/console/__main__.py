"""Runs the console: `python -m services.console`."""

from services.console.app import build
from shared import telemetry
from shared.service import serve
from shared.settings import load

if __name__ == "__main__":
    settings = load()
    telemetry.start_logs("console", settings.log_level)
    serve(build(settings))
