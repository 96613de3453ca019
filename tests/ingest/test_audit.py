"""Files of the registry and keys leave rows of the audit trail, and never a key's secret."""

from typing import Any

import orjson
import pytest

from tests.ingest.pushing import fresh
from tests.stack import Stack, uscc

pytestmark = pytest.mark.kafka

OURS, OTHERS = uscc(7301), uscc(7302)
COMPANIES = "uscc,name,region,industry\n" + "".join(f"{code},审计测试厂,220203,food\n" for code in (OURS, OTHERS))


async def bodies(stack: Stack) -> list[str]:
    return [row["body"] for row in await stack.sql("SELECT body FROM ingest.audit ORDER BY seq")]


async def since(stack: Stack, before: list[str]) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in (await bodies(stack))[len(before) :]]


async def test_a_file_that_changes_something_is_recorded(stack: Stack):
    before = await bodies(stack)
    points = f"uscc,point,name\n{OURS},{fresh('P')},一号点\n"

    for _ in range(2):
        await stack.upload("ingest", "/v1/enterprises/import", COMPANIES)
    await stack.upload("ingest", "/v1/points/import", points)

    companies, of_points = await since(stack, before)
    assert (companies["action"], companies["detail"]["enterprises"]) == ("import_enterprises", sorted([OURS, OTHERS]))
    assert (of_points["action"], of_points["detail"]["changed"], of_points["role"]) == ("import_points", 1, "admin")
    assert len(of_points["detail"]["file_sha256"]) == 64


async def test_keys_are_recorded_by_their_prefixes_and_never_by_their_secrets(stack: Stack):
    await stack.upload("ingest", "/v1/enterprises/import", COMPANIES)
    before = await bodies(stack)

    _, one = await stack.send("ingest", "/v1/keys", {"enterprise": OURS}, role="ops", name="ops li")
    _, many = await stack.send("ingest", "/v1/keys/batch", {"enterprises": [OURS, OTHERS]})
    keys = [one["key"], *(item["key"] for item in many["items"])]
    prefix = keys[0].split("_")[1]
    revoked, _ = await stack.send("ingest", f"/v1/keys/{prefix}/revoke", {})
    again, _ = await stack.send("ingest", f"/v1/keys/{prefix}/revoke", {})
    unknown, _ = await stack.send("ingest", "/v1/keys", {"enterprise": uscc(7399)})

    rows = await since(stack, before)
    assert (revoked, again, unknown) == (200, 404, 404)
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("create_key", f"key/{prefix}"),
        ("create_key", "keys"),
        ("revoke_key", f"key/{prefix}"),
    ]
    assert (rows[0]["actor"], rows[2]["enterprise"]) == ("ops li", OURS)
    kept = "\n".join(await bodies(stack))
    assert not any(key.split("_")[2] in kept for key in keys)
