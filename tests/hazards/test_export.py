"""The ledger as a file holds every case with its whole timeline, and nothing in it is a formula."""

import csv
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import orjson
import pytest

from services.hazards.export import COLUMNS, LINES, _parts, csv_cell
from tests.hazards.desk import act, opened
from tests.ingest.pushing import Plant

FORMULAS = [
    '=HYPERLINK("http://x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2+3",
    "＝1+1",
    "\t=1",
    "\r=1",
    "\n=1",
    "＋1",
    "－1",
    "＠A",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_begins_like_a_formula_is_shown_as_text(text):
    (row,) = csv.reader(StringIO(csv_cell(text), newline=""))

    assert row == ["'" + text]


@pytest.mark.parametrize("text", ["安全阀, 未校验", 'a "quoted" word', "two\r\nlines", "", "2-3", "a=b", "𠮷龘㐂"])
def test_any_other_cell_comes_back_as_it_is(text):
    (row,) = list(csv.reader(StringIO(csv_cell(text) + "\r\n", newline=""))) or [[""]]

    assert (row or [""]) == [text]


async def exported(plant: Plant, form: str, **staff: Any) -> bytes:
    url = plant.stack.url("hazards", f"/v1/cases/export?format={form}")
    headers = plant.stack.headers(**({"role": "enterprise", "enterprise": plant.uscc} | staff))
    async with plant.stack.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert f"cases.{form}" in answer.headers["Content-Disposition"]
        return await answer.read()


@pytest.mark.kafka
@pytest.mark.postgres
async def test_json_lines_hold_every_case_with_its_whole_timeline(plant: Plant):
    case = await opened(plant)
    _, case = await act(plant, case["id"], "comment", 1, {"text": "两行\n文字"})

    lines = [orjson.loads(line) for line in (await exported(plant, "jsonl")).splitlines()]

    (found,) = [each for each in lines if each["id"] == case["id"]]
    assert found["timeline"] == case["timeline"]
    assert {name: value for name, value in found.items() if name != "timeline"} == {
        name: value for name, value in case.items() if name not in {"timeline", "timeline_next", "blocked"}
    }


@pytest.mark.kafka
@pytest.mark.postgres
async def test_a_spreadsheet_holds_text_and_no_formula(plant: Plant):
    titles = {title: (await opened(plant, title))["id"] for title in FORMULAS}

    sheet = openpyxl.load_workbook(BytesIO(await exported(plant, "xlsx"))).active
    table = csv.DictReader(StringIO((await exported(plant, "csv")).decode("utf-8-sig"), newline=""))

    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == list(COLUMNS)
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n"}
    assert all(cell.value is None for row in rows for cell in row if cell.data_type == "n")
    kept = {row[0].value: row[5].value for row in rows}
    shown = {row["编号"]: row["标题"] for row in table}
    for title, case in titles.items():
        assert kept[case].replace("_x000D_", "\r") == title
        assert shown[case] == "'" + title


@pytest.mark.kafka
@pytest.mark.postgres
async def test_another_format_is_refused(plant: Plant):
    url = plant.stack.url("hazards", "/v1/cases/export?format=pdf")

    async with plant.stack.session.get(url, headers=plant.stack.headers()) as answer:
        assert answer.status == 422


@pytest.mark.parametrize(
    ("versions", "parts"),
    [
        ([], []),
        ([1, 2, 3], [[1, 2, 3]]),
        ([LINES, 1], [[LINES], [1]]),
        ([10 * LINES, 1, LINES - 1, 1], [[10 * LINES], [1, LINES - 1], [1]]),
    ],
)
def test_timelines_are_read_a_bounded_number_of_rows_at_a_time(versions, parts):
    rows = [{"version": version} for version in versions]

    assert [[row["version"] for row in part] for part in _parts(rows)] == parts
