"""统计: the figures of the page are those of reporting, each opens into its rows, and their sums agree."""

import re
from typing import Any

import pytest

from tests.console.replica import Replica, replica
from tests.console.visiting import read, rows, visit, words
from tests.stack import Stack, alarm, until, uscc

COUNTY = "region=220702"


@pytest.fixture(scope="module")
async def counted(stack: Stack) -> str:
    """An enterprise in 220702 of which reporting counted three alarms, two of them yellow."""
    code = uscc(802)
    key = await stack.register(code, ["S-1", "S-2", "S-3"], "220702")
    await stack.push(alarm("st-1", "S-1"), alarm("st-2", "S-2", "yellow"), alarm("st-3", "S-3", "yellow"), key=key)

    async def alarms() -> Any:
        found = await stack.get("reporting", f"/v1/statistics?measure=alarms&measure=cases_opened&{COUNTY}")
        return found["rows"][0]

    await until(alarms, lambda row: row["alarms"] == 3 and row["cases_opened"] >= 1)
    return code


def _figure(source: str, measure: str) -> str:
    (found,) = re.findall(rf'measure-figure" href="[^"]*measure={measure}[&"][^>]*>(.*?)<', source)
    return str(found)


@pytest.mark.usefixtures("counted")
async def test_the_figures_are_reportings_and_the_parts_add_up(desk: Replica) -> None:
    source = await read(await visit(desk, "viewer"), f"/statistics?{COUNTY}")

    assert _figure(source, "alarms") == "3"
    found = rows(source)
    assert any(row.startswith("▲ 红色 1") for row in found)
    assert any(row.startswith("■ 黄色 2") for row in found)
    assert any(row.startswith("松原市宁江区 3") for row in found)
    assert len([row for row in found if row.startswith("合计 3")]) == 4


@pytest.mark.usefixtures("counted")
async def test_a_figure_opens_into_as_many_rows(desk: Replica) -> None:
    browser = await visit(desk, "viewer")
    source = await read(browser, f"/statistics?{COUNTY}")
    (address,) = re.findall(r'href="(/statistics/rows\?measure=alarms&amp;[^"]*level=yellow[^"]*)"', source)

    opened = await read(browser, address.replace("&amp;", "&"))

    assert len(rows(opened)) == 1 + 2
    assert all("黄色" in row and "松原市宁江区" in row for row in rows(opened)[1:])


@pytest.mark.usefixtures("counted")
async def test_every_measure_can_be_drawn(desk: Replica) -> None:
    browser = await visit(desk, "viewer")
    for measure in ("cases_opened", "cases_closed", "cases_open", "cases_overdue", "seconds_to_close"):
        source = await read(browser, f"/statistics?{COUNTY}&measure={measure}")
        assert source.count('data-chart="bars"') == 4


async def test_an_enterprise_counts_its_own_alone(desk: Replica, counted: str) -> None:
    stranger = await visit(desk, "officer", "220203")
    owner = await visit(desk, "enterprise", "220702", counted)
    assert _figure(await read(stranger, f"/statistics?{COUNTY}"), "alarms") == "0"
    assert _figure(await read(owner, "/statistics"), "alarms") == "3"


@pytest.mark.usefixtures("counted")
async def test_the_workbook_of_a_month_is_passed_on(desk: Replica) -> None:
    answer = await (await visit(desk, "viewer")).get("/statistics/reports/2026-11.xlsx")
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")
    assert "attachment" in answer.headers["content-disposition"]


async def test_a_day_that_is_none_is_refused(desk: Replica) -> None:
    browser = await visit(desk, "viewer")
    await read(browser, "/statistics?from=yesterday", 422)
    await read(browser, "/statistics?measure=secrets", 422)
    await read(browser, "/statistics/reports/never.xlsx", 422)


async def test_the_page_says_that_the_figures_are_missing(stack: Stack) -> None:
    async with replica(stack.postgres, port_base=stack.base, service_urls="reporting=http://127.0.0.1:1") as alone:
        source = await read(await visit(alone, "viewer"), "/statistics")
    assert "统计服务暂时没有响应" in words(source)
    assert "data-chart" not in source
