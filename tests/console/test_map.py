"""地图: each enterprise where it stands by its worst open level, within the visitor's sight; a table says the same."""

import html
import re
from typing import Any

import orjson
import pytest

from tests.console.replica import Replica, replica
from tests.console.visiting import read, rows, visit, words
from tests.stack import Stack, alarm, until, uscc

HOSTILE = "<b>甲</b>{x|y}"


def _drawing(source: str) -> Any:
    (found,) = re.findall(r"data-json='([^']*)'", source)
    return orjson.loads(html.unescape(found))


@pytest.fixture(scope="module")
async def plant(stack: Stack) -> str:
    """An enterprise in 220802 with a red alarm, at a place, with a name that is markup."""
    code = uscc(801)
    key = await stack.register(code, ["M-1"], "220802")
    await stack.upload(
        "ingest",
        "/v1/enterprises/import",
        f"uscc,name,region,industry,longitude,latitude\n{code},{HOSTILE},220802,petrochemical,122.84,45.62\n",
    )
    await stack.push(alarm("map-1", "M-1"), key=key)

    async def board() -> list[Any]:
        found = await stack.get("hazards", "/v1/board/enterprises")
        return [row for row in found["items"] if row["uscc"] == code and row["level"] == "red"]

    await until(board)
    return code


async def test_the_city_and_the_enterprise_carry_the_worst_level(desk: Replica, plant: str) -> None:
    source = await read(await visit(desk, "viewer"), "/map")

    assert any(row.startswith("白城市 ▲ 红色") for row in rows(source))
    drawing = _drawing(source)
    (mark,) = [mark for mark in drawing["marks"] if mark["link"] == f"/board?enterprise={plant}"]
    assert (mark["level"], mark["at"]) == ("red", [122.84, 45.62])
    assert [part["level"] for part in drawing["parts"] if part["city"] == "白城市"] == ["red"]


async def test_a_name_is_shown_as_written_and_never_as_markup(desk: Replica, plant: str) -> None:
    source = await read(await visit(desk, "viewer"), "/map")
    assert "<b>甲</b>" not in source
    assert any(mark["text"].startswith(HOSTILE) for mark in _drawing(source)["marks"])


async def test_another_county_sees_neither_the_enterprise_nor_its_level(desk: Replica, plant: str) -> None:
    source = await read(await visit(desk, "officer", "220203"), "/map?region=220802")
    assert plant not in source
    assert "甲" not in source
    assert not any(part["level"] for part in _drawing(source)["parts"] if part["city"] == "白城市")


async def test_the_live_part_is_answered_alone(desk: Replica, plant: str) -> None:
    source = await read(await visit(desk, "viewer"), "/map", block="map_now")
    assert source.lstrip().startswith("<section")
    assert "<html" not in source


@pytest.mark.usefixtures("plant")
async def test_what_is_missing_is_said_when_a_service_is_away(stack: Stack) -> None:
    async with replica(stack.postgres, port_base=stack.base, service_urls="hazards=http://127.0.0.1:1") as alone:
        source = await read(await visit(alone, "viewer"), "/map")
    assert "报警与台账暂时没有响应" in words(source)
    assert all(mark["text"].endswith("级别未知") for mark in _drawing(source)["marks"])
