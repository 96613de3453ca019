"""Runs the service: `python -m services.ingest`."""

from services.ingest.app import build
from shared import telemetry
from shared.service import serve
from shared.settings import load

if __name__ == "__main__":
    settings = load()
    telemetry.start_logs("ingest", settings.log_level)
    serve(build(settings))
