"""Files as offices and their spreadsheets make them."""

import pytest

from shared.problems import Problem
from shared.tables import CELL_LIMIT, FAULTS_SHOWN, read_table

COLUMNS = {"uscc": True, "name": True, "address": False}
HEADER = "uscc,name,address\n"


def cells(body: bytes) -> list[dict[str, str | None]]:
    return [dict(row.cells) for row in read_table(body, COLUMNS)]


def refusal(body: bytes) -> Problem:
    with pytest.raises(Problem) as refused:
        read_table(body, COLUMNS)
    assert refused.value.status == 422
    return refused.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_utf_8_with_and_without_bom_and_gb_18030_are_read(encoding: str) -> None:
    assert cells((HEADER + "1,吉林石化,\n").encode(encoding)) == [{"uscc": "1", "name": "吉林石化", "address": None}]


def test_a_rare_character_survives_gb_18030() -> None:
    assert cells((HEADER + "1,𠮷林龘厂,㐂\n").encode("gb18030"))[0]["name"] == "𠮷林龘厂"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_a_sentence(encoding: str) -> None:
    bom = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")

    found = refusal(bom + (HEADER + "1,吉林石化,\n").encode(encoding))

    assert found.code == "bad_file"
    assert "UTF-16" in found.detail


def test_bytes_of_no_encoding_are_refused() -> None:
    assert "neither UTF-8 nor GB 18030" in refusal(HEADER.encode() + b"1,\xff\xff\xff,\n").detail


def test_all_line_ends_are_read() -> None:
    assert [row["uscc"] for row in cells(b"uscc,name,address\r\n1,a,\r2,b,\n3,c,\r\n")] == ["1", "2", "3"]


def test_a_line_break_and_a_comma_within_quotes_belong_to_the_cell() -> None:
    assert cells((HEADER + '1,"吉林,\n石化",\n').encode())[0]["name"] == "吉林,\n石化"


def test_a_quote_that_never_closes_is_found_where_it_opened() -> None:
    found = refusal((HEADER + '1,a,\n2,"b,\n3,c,\n4,d,\n').encode())

    assert found.code == "bad_file"
    assert "line 3" in found.detail


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_named(separator: str) -> None:
    found = refusal((HEADER + "1,a,\n").replace(",", separator).encode())

    assert repr(separator) in found.detail


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("uscc,name,name", "the column 'name' is there twice"),
        ("uscc,address", "missing columns: name"),
        ("uscc,name,colour", "unknown column 'colour'; known are uscc, name, address"),
    ],
)
def test_a_wrong_header_is_refused_by_name(header: str, sentence: str) -> None:
    assert sentence in refusal(f"{header}\n1,a,b\n".encode()).detail


def test_spaces_around_a_heading_do_not_matter() -> None:
    assert cells("\u3000uscc , NAME\u3000,address \n1,a,b\n".encode()) == [{"uscc": "1", "name": "a", "address": "b"}]


def test_a_column_that_may_be_empty_may_be_left_out() -> None:
    assert cells(b"name,uscc\na,1\n") == [{"uscc": "1", "name": "a", "address": None}]


def test_every_fault_is_named_by_row_and_column() -> None:
    found = refusal((HEADER + "1,a,\n,b,\n3,\u3000,\n4,d\n").encode())

    assert found.code == "bad_rows"
    faults = [(e["row"], e["column"], e["code"]) for e in found.more["errors"]]
    assert faults == [(3, "uscc", "empty"), (4, "name", "empty"), (5, "name", "bad_width")]


def test_ten_thousand_faults_are_counted_and_the_first_shown() -> None:
    found = refusal((HEADER + ",a,\n" * 10_000).encode())

    assert found.more["count"] == 10_000
    assert len(found.more["errors"]) == FAULTS_SHOWN


def test_a_row_is_counted_as_a_person_counts() -> None:
    rows = read_table((HEADER + "1,a,\n\n3,c,\n").encode(), COLUMNS)

    assert [(row.number, row["uscc"]) for row in rows] == [(2, "1"), (4, "3")]


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b"\n\n", b" \r\n"])
def test_an_empty_file_is_refused(body: bytes) -> None:
    assert "the file is empty" in refusal(body).detail


def test_a_file_of_only_a_header_has_no_rows() -> None:
    assert cells(HEADER.encode()) == []


def test_a_cell_past_all_bounds_is_refused() -> None:
    assert refusal(HEADER.encode() + b"1," + b"a" * (CELL_LIMIT + 1) + b",\n").code == "bad_file"


@pytest.mark.parametrize(
    "cell",
    ['=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "＝1+1", "<script>", "{{7*7}}"],
)
def test_a_formula_is_text(cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'

    assert cells(f"{HEADER}1,{quoted},\n".encode())[0]["name"] == cell
