"""The demo's telephone believes what a Standard Webhooks library signs, and shows the newest first."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks.webhooks import Webhook

from deploy.demo.keys import phone_key, read_keys, secret_of, write_keys
from deploy.demo.phone import KEPT, application

NOW = datetime(2026, 11, 25, 0, 0, 5, tzinfo=UTC)
KEY = b"k" * 32


def webhook(name: str, contact: str = "220203-officer-a", key: bytes = KEY, at: datetime = NOW) -> dict[str, object]:
    body = orjson.dumps(
        {"type": "notification.created", "timestamp": "…", "data": {"level": "red", "title": f"硫化氢超限 {name}"}}
    )
    signature = Webhook(secret_of(key, contact)).sign(name, at, body.decode())
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"v1,none {signature}",
    }
    return {"path": f"/{contact}", "data": body, "headers": headers}


@pytest.fixture
async def phone():
    async with TestClient(TestServer(application(KEY, clock=NOW.timestamp))) as client:
        yield client


async def test_a_signed_message_is_taken_and_read_in_chinese(phone):
    answer = await phone.post(**webhook("n1"))
    text = await (await phone.get("/")).text()

    assert answer.status == 204
    assert text == "11-25 08:00:05 220203-officer-a 新通知 红色 硫化氢超限 n1\n"


@pytest.mark.parametrize(
    "forged",
    [
        webhook("n1", key=b"x" * 32),
        webhook("n1", at=datetime(2026, 11, 24, 23, 54, tzinfo=UTC)),
        webhook("n1") | {"path": "/220203-leader"},
        webhook("n1") | {"data": b"{}"},
        webhook("n1") | {"headers": {}},
    ],
    ids=["other key", "old", "another's", "other body", "unsigned"],
)
async def test_what_is_not_well_signed_is_refused(phone, forged):
    answer = await phone.post(**forged)
    text = await (await phone.get("/")).text()

    assert answer.status == 401
    assert text == "还没有收到通知。\n"


async def test_a_repeated_delivery_is_one_message(phone):
    await phone.post(**webhook("n1"))
    await phone.post(**webhook("n1"))
    text = await (await phone.get("/")).text()

    assert text.count("\n") == 1
    assert text.endswith("(第2次)\n")


async def test_the_newest_stand_first_and_the_oldest_are_forgotten(phone):
    for n in range(KEPT + 3):
        await phone.post(**webhook(f"n{n}"))
    lines = (await (await phone.get("/", params={"format": "jsonl"})).text()).splitlines()

    names = [orjson.loads(line)["id"] for line in lines]
    assert names == [f"n{n}" for n in range(KEPT + 2, 2, -1)]


def test_the_demo_s_secrets_are_made_once_for_their_owner(tmp_path: Path):
    first, again = phone_key(tmp_path), phone_key(tmp_path)
    write_keys(tmp_path, {"91220203000000012A": "fs_1"})

    assert first == again
    assert read_keys(tmp_path) == {"91220203000000012A": "fs_1"}
    assert {oct(file.stat().st_mode & 0o777) for file in (tmp_path / "demo").iterdir()} == {"0o600"}


def test_every_contact_has_a_secret_of_its_own():
    assert secret_of(KEY, "220203-officer-a") != secret_of(KEY, "220203-officer-b")
