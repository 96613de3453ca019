"""The ready curl line is a red alarm of now, with an identity of its own each time."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from deploy.demo import curl_line
from deploy.demo.keys import write_keys
from deploy.demo.province import enterprises

_SHOW = 'curl() { for word; do printf "%s\\n" "$word"; done; }\n'


def words(home: Path) -> list[str]:
    """What a shell would hand to curl."""
    write_keys(home, {enterprise.uscc: f"fs_{enterprise.slug}" for enterprise in enterprises()})
    script = _SHOW + curl_line(home, 18000)
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_line_pushes_one_red_alarm_of_now(tmp_path: Path):
    said = words(tmp_path)
    event = orjson.loads(said[-1])

    assert "http://127.0.0.1:18001/v1/events" in said
    assert "Authorization: Bearer fs_longtan-acrylonitrile" in said
    assert "Content-Type: application/cloudevents+json" in said
    assert (event["data"]["level"], event["data"]["state"]) == ("red", "raised")
    assert abs(datetime.fromisoformat(event["time"]) - datetime.now(UTC)) < timedelta(seconds=30)


def test_every_call_is_another_event(tmp_path: Path):
    first, second = (orjson.loads(words(tmp_path)[-1])["id"] for _ in range(2))

    assert re.fullmatch(r"\d{12,}", first)
    assert first != second
