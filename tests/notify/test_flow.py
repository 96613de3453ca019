"""From the push to the telephone, on the real bus: told once, answered once, and told of the end."""

import pytest

from tests.notify.stand import ALWAYS, SECRET, Phone
from tests.stack import Stack, alarm, until

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

USCC, REGION = "91220302MA0000002Y", "220302"


@pytest.fixture(scope="module")
async def key(stack: Stack) -> str:
    return await stack.register(USCC, ["N-1"], REGION)


async def test_an_alarm_reaches_the_officer_on_duty_and_its_end_as_well(stack: Stack, key: str, phone: Phone) -> None:
    await stack.upload(
        "notify",
        "/v1/contacts/import",
        f"contact,name,region,role,webhook,webhook_secret\nflow,Flow,{REGION},officer,{phone.url}/flow,{SECRET}\n",
    )
    await stack.upload(
        "notify",
        "/v1/rosters/import",
        f"roster,region,contact,start,end,position\nflow,{REGION},flow,{ALWAYS},primary\n",
    )

    await stack.push(alarm("flow-1", "N-1"), key=key)
    await until(lambda: heard(phone), lambda said: said == ["created"])
    told = phone.taken[0]["data"]
    status, _ = await stack.send("notify", f"/v1/notifications/{told['id']}/acknowledge", None, name="flow")
    await until(lambda: heard(phone), lambda said: said == ["created", "acknowledged"])
    board = await until(
        lambda: stack.get("hazards", f"/v1/alarms?enterprise={USCC}"), lambda a: a["items"][0]["acknowledged"]
    )
    await stack.push(alarm("flow-2", "N-1", state="cleared"), key=key)
    await until(lambda: heard(phone), lambda said: said == ["created", "acknowledged", "ended"])

    assert status == 200
    assert told["event"] == {"source": "//test/dcs", "id": "flow-1"}
    assert board["items"][0]["acknowledged_by"] == "flow"


async def heard(phone: Phone) -> list[str]:
    return [said for _, said in phone.heard()]
