"""A row of the registry files is taken whole, or refused with every fault and its column."""

from typing import Any

import pytest

from services.ingest.domain.registry import BadRow, enterprise_of, point_of

USCC = "91350100M000100Y43"


def enterprise(**more: Any) -> dict[str, str | None]:
    return {"uscc": USCC, "name": "测试企业", "region": "220203", "industry": "petrochemical"} | more


def point(**more: Any) -> dict[str, str | None]:
    return {"uscc": USCC, "point": "T-101", "name": "一号罐温度"} | more


def faults(check: Any, cells: dict[str, str | None]) -> list[tuple[str, str]]:
    """Column and code of each fault."""
    try:
        check(cells)
    except BadRow as bad:
        return [(fault.column, fault.code) for fault in bad.faults]
    return []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91350100M000100Y44", "bad_uscc_check"),
        ("91350100M000100Y4", "bad_length"),
        ("91350100M000100Y433", "bad_length"),
        ("91350100I000100Y43", "bad_character"),
        ("91350100O000100Y43", "bad_character"),
        ("91350100Z000100Y43", "bad_character"),
        ("91350100S000100Y43", "bad_character"),
        ("91350100V000100Y43", "bad_character"),
        ("9135010０M000100Y4", "bad_length"),
        ("９1350100M000100Y43", "bad_character"),
        ("91350100М000100Y43", "bad_character"),
        ("350100400001234", "old_licence_number"),
        ("0" * 18, "bad_uscc_check"),
        ("9.135E+17", "bad_length"),
        ("'" + USCC, "bad_length"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_what_is_wrong(code, expected):
    assert faults(enterprise_of, enterprise(uscc=code)) == [("uscc", expected)]


def test_a_full_width_character_and_a_spreadsheets_number_are_hinted_at():
    with pytest.raises(BadRow, match="全角字符"):
        enterprise_of(enterprise(uscc="９1350100M000100Y43"))
    with pytest.raises(BadRow, match="Excel 改了格式"):
        enterprise_of(enterprise(uscc="9.135E+17"))


def test_a_credit_code_in_lower_case_is_the_same_code():
    assert enterprise_of(enterprise(uscc=USCC.lower()))["uscc"] == USCC


@pytest.mark.parametrize("region", ["220000", "220200", "229999", "110101", "x", "220203 "])
def test_an_enterprise_lies_in_a_county_that_exists(region):
    assert faults(enterprise_of, enterprise(region=region)) == [("region", "bad_region")]


def test_every_fault_of_a_row_is_found():
    row = enterprise(uscc="x", region="220000", industry="石化", longitude="181", latitude="１２")

    assert faults(enterprise_of, row) == [
        ("uscc", "bad_length"),
        ("region", "bad_region"),
        ("industry", "bad_industry"),
        ("longitude", "out_of_range"),
        ("latitude", "not_a_number"),
    ]


@pytest.mark.parametrize("cell", ["nan", "1e999", "-inf"])
def test_a_limit_is_finite(cell):
    assert faults(point_of, point(h=cell)) == [("h", "not_finite")]


@pytest.mark.parametrize("cell", ["１２", "1_000", "1,5", "高", "0x10"])
def test_a_limit_is_a_number_in_plain_digits(cell):
    assert faults(point_of, point(h=cell)) == [("h", "not_a_number")]


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({"ll": "80", "h": "20"}, ["ll", "h"]),
        ({"l": "20", "h": "20"}, ["l", "h"]),
        ({"ll": "5", "l": "1", "h": "3", "hh": "2"}, ["ll", "l", "h", "hh"]),
    ],
)
def test_limits_that_contradict_each_other_are_both_named(cells, columns):
    assert faults(point_of, point(**cells)) == [(column, "limits_crossed") for column in columns]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"deadband": "-1"}, ("deadband", "out_of_range")),
        ({"on_delay_s": "1e12"}, ("on_delay_s", "out_of_range")),
        ({"off_delay_s": "-1"}, ("off_delay_s", "out_of_range")),
        ({"point": "x" * 65}, ("point", "bad_point")),
        ({"point": "T\u200b-101"}, ("point", "bad_point")),
        ({"point": "T\n101"}, ("point", "bad_point")),
        ({"name": "x" * 201}, ("name", "too_long")),
        ({"name": "a\x00"}, ("name", "nul_character")),
    ],
)
def test_what_no_point_can_have_is_refused(cells, fault):
    assert faults(point_of, point(**cells)) == [fault]


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "＝1+1", "罐𠮷㐂"])
def test_a_formula_is_stored_as_the_text_it_is(text):
    assert point_of(point(name=text))["name"] == text
