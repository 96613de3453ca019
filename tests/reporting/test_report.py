"""A period's report opens in a spreadsheet and says what the figures say."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from services.reporting import handlers
from shared.vocabulary import CaseKind
from tests.reporting.conftest import Door, Hear
from tests.reporting.told import alarm, answer, step

pytestmark = pytest.mark.postgres


def read(body: bytes) -> dict[str, list[list[object]]]:
    """The cells of each sheet."""
    return {
        sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in load_workbook(BytesIO(body))
    }


@pytest.fixture
async def told(hear: Hear) -> None:
    """Two alarms, an answer after a minute and a half, and a case that is open."""
    await hear(handlers.count_alarms, [alarm("a1"), alarm("a2", region="220821", industry="food")])
    await hear(handlers.count_cases, [step("c1"), step("c2"), step("c2", CaseKind.VOIDED, 2)])
    await hear(handlers.count_answers, [answer("c1")])


@pytest.mark.parametrize("period", ["2026", "2026-11", "2026-W48", "2026-11-25"])
async def test_a_report_lists_every_county_and_industry_in_sight_and_their_sum(told: None, door: Door, period: str):
    status, body = await door.ask(f"/v1/reports/{period}.xlsx", region="220800")

    sheets = read(body)
    by_region = {row[0]: row[1:] for row in sheets["按区划"][4:]}
    by_industry = {row[0]: row[1:] for row in sheets["按行业"][4:]}
    assert status == 200
    assert sheets["按区划"][3][:6] == ["区划代码", "区划名称", "报警（次）", "立案（件）", "销号（件）", "在办（件）"]
    assert by_region["220802"][:5] == ["洮北区", 1, 2, 0, 1]
    assert by_region["220881"][1:5] == [0, 0, 0, 0]
    assert by_region["合计"][1:5] == by_industry["合计"][:4] == [2, 2, 0, 1]
    assert by_industry["石化"][5:8] == [1, 1.5, 1.5]
    assert all(code == "合计" or code.startswith("2208") for code in by_region)


async def test_a_report_of_a_period_without_events_is_a_report_of_zeros(told: None, door: Door):
    _, body = await door.ask("/v1/reports/2026-10.xlsx", region="220800")

    total = read(body)["按行业"][-1]

    assert total[:4] == ["合计", 0, 0, 0]
    assert total[4] == 1  # a stock has no period
    assert total[7:] == [None] * 4


@pytest.mark.parametrize("period", ["2026-13", "latest", "2027-W53"])
async def test_a_report_of_no_period_is_refused(door: Door, period: str):
    status, problem = await door.ask(f"/v1/reports/{period}.xlsx")

    assert (status, problem["code"], problem["pointer"]) == (422, "bad_period", "/period")
