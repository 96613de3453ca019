"""The desk and the ledger in front of every service: what each person sees, does, and is told when it cannot be."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from deploy.local.walls import in_our_database
from tests.console.desk import Desk, desk_on, part
from tests.stack import Stack, alarm, hazard, until, uscc

HERE, THERE = uscc(801), uscc(802)
MARKUP = "<img src=x onerror=alert(1)> \u202e{{7*7}} =1+1 𠮷"


@pytest.fixture(scope="module")
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    async with desk_on(stack) as made:
        made.stack.key = await stack.register(HERE, ["T-1", "T-2", "T-3", "T-4"], region="220203", hh=80)
        yield made


async def case_of(desk: Desk, title: str) -> dict[str, Any]:
    """The newest case of that title, once it is there."""

    async def ask() -> Any:
        items = (await desk.stack.get("hazards", f"/v1/cases?enterprise={HERE}&limit=100"))["items"]
        return next((case for case in items if case["title"].startswith(title)), None)

    found: dict[str, Any] = await until(ask)
    return found


async def reported(desk: Desk, pushed: str, title: str, **data: Any) -> dict[str, Any]:
    status, answer = await desk.stack.push(hazard(pushed, title, data=data))
    assert status == 202, answer
    return await case_of(desk, title[:20])


async def test_a_stranger_is_led_to_the_login_and_back(desk: Desk):
    browser = await desk.visit("pages-viewer", "viewer", "220000")
    browser.cookies.clear()

    page = await browser.get("/cases?state=reported")
    asked_again = await part(browser, "/board", "board_now")

    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fcases%3Fstate%3Dreported")
    assert asked_again.status_code == 401
    assert asked_again.headers["hx-redirect"].startswith("/login")


async def test_an_alarm_is_on_the_board_and_one_tap_answers_it(desk: Desk):
    officer = await desk.visit("pages-officer")
    await desk.stack.push(alarm("pages-1", "T-1", data={"value": 12.5, "limit": 10, "message": "反应釜超压"}))
    shown = await until(lambda: part(officer, "/board", "board_now"), lambda answer: "反应釜超压" in answer.text)
    case = re.search(r'action="(/board/[0-9a-f-]{36}/acknowledge)"', shown.text)
    assert case is not None

    first = await officer.post(case[1], headers={"HX-Request": "true"})
    second = await officer.post(case[1], headers={"HX-Request": "true"})

    assert "已应答" in first.text
    assert "已应答" in second.text
    await until(lambda: part(officer, "/board", "board_now"), lambda answer: case[1] not in answer.text)


async def test_a_tap_that_comes_before_the_call_waits_for_it(desk: Desk):
    officer = await desk.visit("pages-officer")
    holder = await asyncpg.connect(in_our_database(desk.stack.postgres.admin_dsn))
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE notify.positions IN EXCLUSIVE MODE")
            await desk.stack.push(alarm("pages-early", "T-4", data={"message": "刚到的报警"}))
            case = await case_of(desk, "T-4")
            path = f"/board/{case['id']}/acknowledge"
            in_vain = await officer.post(path, headers={"HX-Request": "true"})
            tapped = asyncio.create_task(officer.post(path, headers={"HX-Request": "true"}))
            await asyncio.sleep(0.5)
    finally:
        await holder.close()

    assert "尚未就此通知任何人" in in_vain.text
    assert "已应答" in (await tapped).text


async def test_the_board_of_another_county_shows_nothing_of_it(desk: Desk):
    await desk.stack.push(alarm("pages-2", "T-2", data={"message": "别处看不见"}))
    near = await desk.visit("pages-officer")
    await until(lambda: part(near, "/board", "board_now"), lambda answer: "别处看不见" in answer.text)

    far = await desk.visit("pages-stranger", "officer", "220104")
    own = await desk.visit("pages-own", "enterprise", None, HERE)
    other = await desk.visit("pages-other", "enterprise", None, THERE)
    seen = {name: (await each.get("/board")).text for name, each in (("far", far), ("own", own), ("other", other))}

    assert {name: "别处看不见" in text for name, text in seen.items()} == {"far": False, "own": True, "other": False}


async def test_a_case_out_of_sight_is_a_page_that_is_not_there(desk: Desk):
    case = await reported(desk, "pages-3", "只在本县")
    far = await desk.visit("pages-stranger", "officer", "220104")

    answer = await far.get(f"/cases/{case['id']}")
    nonsense = await far.get("/cases/00000000-0000-0000-0000-000000000000")

    assert answer.status_code == nonsense.status_code == 404
    assert re.sub(case["id"], "", answer.text) == re.sub("0{8}-0{4}-0{4}-0{4}-0{12}", "", nonsense.text)


async def test_every_text_is_shown_as_it_was_written(desk: Desk):
    case = await reported(desk, "pages-4", MARKUP, description=MARKUP, found_by=MARKUP, location=MARKUP)
    officer = await desk.visit("pages-officer")

    page = (await officer.get(f"/cases/{case['id']}")).text
    listed = (await officer.get("/cases")).text

    for text in (page, listed):
        assert "<img src=x" not in text
        assert "&lt;img src=x onerror=alert(1)&gt; \u202e{{7*7}} =1+1 𠮷" in text
        assert "<bdi>&lt;img" in text


async def test_a_case_goes_its_whole_way_and_a_refusal_keeps_what_was_typed(desk: Desk):
    case = await reported(desk, "pages-5", "消防通道堵塞", grade="major")
    officer = await desk.visit("pages-officer")
    manager = await desk.visit("pages-manager", "manager", "220000")
    place, asked = f"/cases/{case['id']}", {"HX-Request": "true", "HX-Target": "the_case"}

    confirmed = await officer.post(f"{place}/confirm", data={"version": "1", "grade": "major"}, headers=asked)
    again = await officer.post(f"{place}/confirm", data={"version": "1", "grade": "major"}, headers=asked)
    five = {"version": "2", "responsible": "王五 <b>", "due_at": "2099-01-01T08:00"}
    missing = await manager.post(f"{place}/start", data=five, headers=asked)
    forbidden = await officer.post(f"{place}/start", data=five, headers=asked)
    rest = {"measures": "清理", "money": "十万", "plan": "疏散"}
    started = await manager.post(f"{place}/start", data=five | rest, headers=asked)

    assert (confirmed.status_code, "已核实" in confirmed.text) == (200, True)
    assert (again.status_code, "该条目在此期间已有变化" in again.text) == (412, True)
    assert missing.status_code == 422
    assert "五落实" in missing.text
    assert 'value="王五 &lt;b&gt;"' in missing.text
    assert re.search(r'name="measures"[^>]*invalid', missing.text)
    assert forbidden.status_code == 403
    assert (started.status_code, "提交整改" in started.text) == (200, True)


async def test_the_ledger_pages_on_and_filters_by_its_address(desk: Desk):
    for number in range(3):
        await reported(desk, f"pages-6-{number}", f"台账分页第{number}条")
    officer = await desk.visit("pages-officer")

    page = await officer.get("/cases", params={"text": "台账分页", "state": "reported"})
    none = await officer.get("/cases", params={"text": "台账分页", "state": "closed"})
    broken = await officer.get("/cases", params={"cursor": "forged"})

    assert page.text.count("台账分页第") >= 3
    assert "没有符合条件的条目" in none.text
    assert (broken.status_code, "列表的这一页已失效" in broken.text) == (200, True)


async def test_an_export_is_passed_on_with_its_name(desk: Desk):
    await reported(desk, "pages-7", "导出")
    officer = await desk.visit("pages-officer")

    answer = await officer.get("/cases/export", params={"format": "csv"})

    assert answer.headers["content-disposition"] == 'attachment; filename="cases.csv"'
    assert "导出" in answer.content.decode("utf-8-sig")


async def test_the_readings_before_an_alarm_are_a_chart_and_a_table(desk: Desk):
    times = [f"2026-01-01T00:00:0{second}Z" for second in range(5)]
    for time, value in zip(times, (60, 65, 70, 75, 90), strict=True):
        await desk.stack.push_readings({"time": time, "points": ["T-3"], "values": [value]})
    case = await case_of(desk, "T-3")
    officer = await desk.visit("pages-officer")

    page = (await officer.get(f"/cases/{case['id']}")).text

    assert 'data-chart="readings"' in page
    assert "2026-01-01 08:00:04</td>" in page


async def test_english_is_whole_as_well(desk: Desk):
    officer = await desk.visit("pages-officer")
    officer.cookies.set("fengsui_locale", "en")

    page = (await officer.get("/board")).text

    assert "Open alarms" in page
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"<bdi.*?</bdi>|中文", "", page, flags=re.DOTALL))


async def test_static_files_may_be_kept_for_good_and_pages_not_at_all(desk: Desk):
    officer = await desk.visit("pages-officer")
    page = await officer.get("/board")
    style = re.search(r'href="(/static/css/console.css\?v=\w+)"', page.text)
    assert style is not None

    kept = await officer.get(style[1])

    assert "immutable" in kept.headers["cache-control"]
    assert "no-store" in page.headers["cache-control"]
    assert not re.search(r"<script(?![^>]*src=)|<style|<\w[^>]*\s(on\w+|style)=", page.text)


async def test_a_service_that_is_away_is_named_and_the_rest_goes_on(desk: Desk):
    case = await reported(desk, "pages-8", "通知服务中断")
    officer = await desk.visit("pages-officer")
    desk.stack.kill("notify", signal.SIGKILL)
    try:
        page = await officer.get(f"/cases/{case['id']}")
        board = await officer.get("/board")
        answer = await officer.post(f"/board/{case['id']}/acknowledge", headers={"HX-Request": "true"})
    finally:
        desk.stack.start("notify")
        await desk.stack.ready("notify")

    assert (page.status_code, "通知与值班暂时没有响应" in page.text) == (200, True)
    assert "通知服务中断" in page.text
    assert board.status_code == 200
    assert "没有任何更改" in answer.text
