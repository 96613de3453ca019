"""A real Prometheus beside a running stack, with the committed configuration but for ports and pace."""

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.ops.rules import FOLDER, tool
from tests.stack import until


class Prometheus:
    """Asks a server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def get(self, path: str, **query: str) -> Any:
        """The data of an answer."""
        async with self._session.get(f"{self._url}/api/v1/{path}", params=query) as answer:
            body = await answer.json()
        assert body["status"] == "success", f"{query}: {body}"
        return body["data"]

    async def values(self, query: str) -> list[float]:
        """The figures that a query has now; NaN is none."""
        data = await self.get("query", query=query)
        assert data["resultType"] == "vector", query
        return [float(found["value"][1]) for found in data["result"] if found["value"][1] != "NaN"]


def configuration(ports: Mapping[str, int]) -> dict[str, Any]:
    """The committed one, for services at other ports."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    for job in config["scrape_configs"]:
        for target in job["static_configs"]:
            target["targets"] = [f"127.0.0.1:{ports[target['labels']['service']]}"]
    return config


def started(words: Sequence[str], file: Path) -> subprocess.Popen[bytes]:
    """Prometheus, which writes what it says into a file."""
    with file.open("wb") as log:
        return subprocess.Popen([tool("prometheus"), *words], stdout=log, stderr=log)


@asynccontextmanager
async def watching(folder: Path, port: int, ports: Mapping[str, int]) -> AsyncIterator[Prometheus]:
    """A server for as long as the context lasts."""
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration(ports)), "utf-8")
    words = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    process = started(words, folder / "prometheus.log")
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            asked = Prometheus(session, f"http://127.0.0.1:{port}")
            await until(lambda: asked.values("up"), lambda found: len(found) == len(ports), timeout=60)
            yield asked
    finally:
        process.terminate()
        process.wait(20)
