"""Runs the service: `python -m services.hazards`."""

from services.hazards.app import build
from shared import telemetry
from shared.service import serve
from shared.settings import load

if __name__ == "__main__":
    settings = load()
    telemetry.start_logs("hazards", settings.log_level)
    serve(build(settings))
