"""The peer Prometheus Alertmanager: the same distinct alarms, held in memory, each told to a receiving webhook."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from bench.speed import load
from bench.speed.load import ENTERPRISES
from bench.speed.province import clock
from bench.speed.pushing import pusher
from bench.speed.stages import watch
from bench.speed.system import Failed, System

PACKAGE: Final = "prometheus-alertmanager"
API_OFFSET, WEBHOOK_OFFSET = 7, 8
READY_S: Final = 60.0
GROUPINGS: Final = {
    "each alarm": ("['...']", "0s"),
    "by enterprise": ("['enterprise']", "1s"),
}
"""What is grouped by, and how long a group waits for others; no group says the same again within the hour."""

CONFIG = """\
route:
  receiver: bench
  group_by: {by}
  group_wait: {wait}
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: bench
    webhook_configs:
      - url: http://127.0.0.1:{port}/
        send_resolved: false
"""


def binary() -> Path:
    """Debian's Alertmanager, installed as a user would; its service is not started."""
    if shutil.which(PACKAGE) is None:
        command = [
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "-o",
            "DPkg::Lock::Timeout=60",
            PACKAGE,
        ]
        quiet = os.environ | {
            "DEBIAN_FRONTEND": "noninteractive",
            "RUNLEVEL": "1",
        }  # by which invoke-rc.d starts nothing
        try:
            subprocess.run(command, env=quiet, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            words = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
            raise Failed(f"Alertmanager cannot be had by apt-get install {PACKAGE}: {' '.join(words)}") from None
    return Path(shutil.which(PACKAGE) or PACKAGE)


async def measured(system: System, count: int) -> dict[str, Any]:
    """Alarms a second accepted and told to the webhook, for each grouping, one by one and in batches of 100."""
    program = await asyncio.to_thread(binary)
    found: dict[str, Any] = {"version": await asyncio.to_thread(_version, program), "runs": []}
    for grouping in GROUPINGS:
        for batch in (1, 100) if grouping == "each alarm" else (100,):
            found["runs"].append(await _run(system, program, grouping, count, batch))
    return found


def _version(program: Path) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).split()[2]


async def _run(system: System, program: Path, grouping: str, count: int, batch: int) -> dict[str, Any]:
    api, webhook = system.base + API_OFFSET, system.base + WEBHOOK_OFFSET
    by, wait = GROUPINGS[grouping]
    home = system.home / f"alertmanager-{api}-{time.monotonic_ns()}"
    home.mkdir()
    (home / "config.yml").write_text(CONFIG.format(by=by, wait=wait, port=webhook))
    system.receive("alertmanager webhook", webhook, r'"bench":"([^"]+)"')
    with (home / "log").open("wb") as out:
        process = psutil.Popen(
            [program, f"--config.file={home}/config.yml", f"--storage.path={home}/data", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{api}"],
            env={"PATH": os.environ["PATH"]}, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{api}/-/ready"
        await system.answers(url, "Alertmanager does not become ready", time.monotonic() + READY_S)
        run = f"am-{batch}"

        async def told() -> dict[str, int]:
            async with system.session.get(f"http://127.0.0.1:{webhook}/count") as answer:
                return {"told": int(await answer.text())}

        async with pusher(_requests(run, count, batch, api), api) as begin:
            used, began = sum(process.cpu_times()[:2]), time.time()
            push = await begin()
            answered, times = await asyncio.gather(push.result(), watch(told, {"told": 0}, count, began))
            spent = sum(process.cpu_times()[:2]) - used
        return {
            "grouping": f"{grouping}: group_by {by}, group_wait {wait}",
            "batch": batch,
            "alarms": count,
            "rates": {
                "accepted": round(count / answered["seconds"], 1),
                "delivered": times.rates(count).get("told"),
            },
            "told": times.progress["told"],
            "cpu_s_per_1000": round(1000 * spent / count, 3),
            "memory_mib": round(process.memory_full_info().uss / 1024**2, 1),
        }
    finally:
        process.terminate()
        process.wait(10)
        system.stop("alertmanager webhook")


def _requests(run: str, count: int, batch: int, port: int) -> Iterator[bytes]:
    now = clock()
    for first in range(0, count, batch):
        alerts = []
        for number in range(first, min(count, first + batch)):
            said = load.alarm(run, number, now)
            labels = {
                "alertname": "overheated",
                "bench": said["id"],
                "severity": "red",
                "enterprise": load.uscc(number % ENTERPRISES),
                "point": said["data"]["point"],
            }
            alerts.append({"labels": labels, "annotations": {"summary": said["data"]["message"]}})
        yield load.request(port, "/api/v2/alerts", "application/json", orjson.dumps(alerts))
