"""What a spreadsheet does to a file before it is imported is named, for the office cannot see it."""

import pytest

from services.ingest.domain.registry import BadRow, enterprise_of
from services.notify.domain.registry import ROSTER_COLUMNS, Fault, shift_rows
from shared.tables import read_table

ENTERPRISE = {"uscc": "91350100M000100Y43", "name": "吉林示例化工", "region": "220203", "industry": "petrochemical"}
SHIFT = {
    "roster": "duty",
    "region": "220203",
    "contact": "anna",
    "start": "2026-11-25T08:00:00+08:00",
    "end": "2026-11-26T08:00:00+08:00",
    "position": "primary",
}


@pytest.mark.parametrize(
    "damage",
    [
        {"uscc": "9.135E+17"},
        {"uscc": "'91350100M000100Y43"},
        {"region": "220203.0"},
        {"region": "2.20203E+05"},
        {"region": "'220203"},
    ],
)
def test_a_damaged_code_is_refused_with_the_hint(damage: dict[str, str]) -> None:
    with pytest.raises(BadRow, match="Excel 改了格式"):
        enterprise_of(ENTERPRISE | damage)


@pytest.mark.parametrize(
    "damage",
    [
        {"start": "45000"},
        {"start": "46351.333"},
        {"start": "2026/1/5"},
        {"end": "2026/11/26 8:00"},
        {"end": "2026-11-26 08:00:00"},
        {"contact": "1.2E+17"},
        {"contact": "'anna"},
        {"region": "220203.0"},
    ],
)
def test_a_damaged_shift_is_refused_with_the_hint(damage: dict[str, str]) -> None:
    faults: list[Fault] = []
    row = SHIFT | damage
    body = f"{','.join(row)}\n{','.join(row.values())}\n".encode()

    assert shift_rows(read_table(body, ROSTER_COLUMNS), faults) == []
    assert [(number, column, "Excel 改了格式" in detail) for number, column, _, detail in faults] == [
        (2, next(iter(damage)), True)
    ]


def test_a_time_that_is_merely_wrong_blames_no_spreadsheet() -> None:
    faults: list[Fault] = []
    row = SHIFT | {"start": "tomorrow"}

    shift_rows(read_table(f"{','.join(row)}\n{','.join(row.values())}\n".encode(), ROSTER_COLUMNS), faults)

    assert "Excel" not in faults[0][3]
