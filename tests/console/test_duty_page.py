"""值班: who answers now and next in each region in sight, and in red where nobody does."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.console.replica import Replica, replica
from tests.console.visiting import read, rows, visit, words
from tests.stack import Stack

MANNED, GAP = "220581", "220582"
HOSTILE = "<i>值班员乙</i>"


@pytest.fixture(scope="module")
async def rostered(stack: Stack) -> None:
    """A primary and a next one in one county, a shift that ends without a next one in another."""
    now = datetime.now(UTC).replace(microsecond=0)
    hours = [(now + timedelta(hours=n)).isoformat() for n in (-1, 7, 15)]
    await stack.upload(
        "notify",
        "/v1/contacts/import",
        "contact,name,region,role,webhook\n"
        f"f-1,值班员甲,{MANNED},officer,http://127.0.0.1:9/f1\n"
        f"f-2,{HOSTILE},{MANNED},officer,http://127.0.0.1:9/f2\n"
        f"f-3,值班员丙,{GAP},officer,\n",
    )
    await stack.upload(
        "notify",
        "/v1/rosters/import",
        "roster,region,contact,start,end,position\n"
        f"甲班,{MANNED},f-1,{hours[0]},{hours[1]},primary\n"
        f"甲班,{MANNED},f-2,{hours[1]},{hours[2]},primary\n"
        f"丙班,{GAP},f-3,{hours[0]},{hours[1]},primary\n",
    )


@pytest.mark.usefixtures("rostered")
async def test_now_and_next_are_named(desk: Replica) -> None:
    source = await read(await visit(desk, "officer", MANNED), "/duty")

    (row,) = [row for row in rows(source) if row.startswith("通化市梅河口市")]
    assert "值班员甲 值班员 · 主班" in row
    assert HOSTILE in row
    assert HOSTILE not in source
    assert "缺班" in row  # after the second shift


@pytest.mark.usefixtures("rostered")
async def test_a_shift_that_nobody_can_be_told_of_is_a_gap_with_its_reason(desk: Replica) -> None:
    source = await read(await visit(desk, "manager", "220500"), "/duty?only=gaps")

    (row,) = [row for row in rows(source) if row.startswith("通化市集安市")]
    assert "无法通知" in row
    assert "缺班" in row
    assert 'class="row-red"' in source


@pytest.mark.usefixtures("rostered")
async def test_a_region_without_a_roster_is_named_in_the_red_box(desk: Replica) -> None:
    source = await read(await visit(desk, "viewer"), "/duty", block="duty_now")
    assert "无人值班且未排班" in words(source)
    assert "长春市农安县" in words(source)


@pytest.mark.usefixtures("rostered")
async def test_lists_show_what_is_in_sight_and_no_more(desk: Replica) -> None:
    near, far = await visit(desk, "officer", MANNED), await visit(desk, "officer", "220203")
    for path in ("/duty/contacts", "/duty/rosters"):
        assert "f-1" in await read(near, path)
        assert "f-1" not in await read(far, f"{path}?region={MANNED}")


async def test_the_page_says_that_the_rosters_are_missing(stack: Stack) -> None:
    async with replica(stack.postgres, port_base=stack.base, service_urls="notify=http://127.0.0.1:1") as alone:
        browser = await visit(alone, "viewer")
        for path in ("/duty", "/duty/contacts", "/duty/rosters"):
            assert "通知与值班暂时没有响应" in words(await read(browser, path))


@pytest.mark.usefixtures("rostered")
async def test_a_filtered_page_is_taken_apart_by_the_browser_and_is_nobody_elses(desk: Replica) -> None:
    """Its element stands in the frame around it, so the answer is a whole page, with the visitor's own name."""
    here = await visit(desk, "officer", MANNED)
    await desk.account("duty.colleague", "officer", MANNED)
    there = await desk.inside("duty.colleague")
    headers = {"HX-Request": "true", "HX-Target": "main"}

    mine = await here.get("/duty", headers=headers)
    theirs = await there.get("/duty", headers=headers)

    assert (mine.headers["hx-reselect"], mine.headers["hx-reswap"]) == ("#main", "outerHTML")
    assert 'id="main"' in mine.text
    assert f"officer-{MANNED}" in mine.text
    assert "duty.colleague" in theirs.text
    assert f"officer-{MANNED}" not in theirs.text
