"""What no wheel brings is here after this: Kafka's jars, and the warmth with which a broker starts in half the time."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from deploy.local import jars, processes
from deploy.local.kafka import Kafka
from deploy.refusal import Refusal


def warm_up() -> None:
    """Lets a broker run once for nothing, after which one is up in 1.9 s instead of 4.9 s (measured, two cores)."""
    file = jars.warm_cache()
    if file.exists():
        return
    half = file.with_name(f"{file.name}.{os.getpid()}")
    with TemporaryDirectory(prefix="fengsui-") as home:
        broker = Kafka(Path(home))
        broker.prepare()
        process = processes.start(broker.child(f"-XX:AOTCacheOutput={half}"), Path(home))
        try:
            process.terminate()  # what it has learnt is written after its end, which takes about 10 s
            process.wait(180)
        finally:
            processes.stop(process, "kafka")
    half.replace(file)


def main() -> None:
    """Without the warmth a broker only starts more slowly, so only the jars are worth a failure."""
    try:
        jars.install()
    except (Refusal, OSError) as error:
        sys.exit(f"fengsui: {error}")
    with suppress(Refusal, OSError, psutil.Error):
        warm_up()


if __name__ == "__main__":
    main()
