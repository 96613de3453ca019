"""A file to be pushed is read an item at a time, and every item knows its line."""

from pathlib import Path

import orjson
import pytest

from deploy import pushfile
from deploy.pushfile import EVENTS, READINGS, Item, Rejection, opened
from deploy.refusal import Refusal


def read(file: Path, content: bytes, encoding: str | None = None) -> tuple[pushfile.Form, list[list[Item] | Rejection]]:
    file.write_bytes(content)
    with opened(file, encoding) as source:
        return source.form, list(source.batches())


def lines(batches: list[list[Item] | Rejection]) -> list[list[int]]:
    return [[item.line for item in batch] for batch in batches if isinstance(batch, list)]


def test_events_are_sent_byte_for_byte_as_they_stand(tmp_path: Path):
    text = '{"id": "a",  "data": {"value": NaN}}'

    form, batches = read(tmp_path / "f", b"\xef\xbb\xbf" + f"{text}\r\n\n  {text}".encode())

    assert form is EVENTS
    assert batches == [[Item(1, text.encode()), Item(3, text.encode())]]
    assert form.body(batches[0]) == f"[{text},{text}]".encode()


def test_a_line_that_would_spoil_its_batch_is_kept_back(tmp_path: Path):
    _, batches = read(tmp_path / "f", b'{"id":"a"}\n{"id":\n5\n\xff\n{"id":"b"}\n')

    rejected = [(each.line, each.code) for each in batches if isinstance(each, Rejection)]
    assert rejected == [(2, "bad_json"), (3, "bad_shape"), (4, "bad_json")]
    assert lines(batches) == [[1, 5]]


def test_batches_are_bounded_in_number_and_in_bytes(tmp_path: Path, monkeypatch):
    _, many = read(tmp_path / "f", b'{"id":"a"}\n' * 250)
    monkeypatch.setattr(pushfile, "BATCH_BYTES", 25)
    _, large = read(tmp_path / "f", b'{"id":"a"}\n' * 5)

    assert [len(batch) for batch in many] == [100, 100, 50]
    assert lines(large) == [[1, 2], [3, 4], [5]]


def test_a_line_that_is_too_long_for_any_door_is_passed_over(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pushfile, "LINE_LIMIT", 16)

    _, batches = read(tmp_path / "f", b'{"id":"a"}\n{"id":"' + b"x" * 100 + b'"}\n{"id":"b"}\n')

    assert [(each.line, each.code) for each in batches if isinstance(each, Rejection)] == [(2, "too_large")]
    assert lines(batches) == [[1, 3]]


def test_readings_become_the_rows_of_a_frame(tmp_path: Path):
    content = (
        "\ufeffTime, point ,value,quality\r\n2026-01-01T00:00:00Z,P,1.50,good\r\n\r\n2026-01-01T00:00:01Z,P,,bad\r\n"
    )

    form, batches = read(tmp_path / "f", content.encode())

    assert form is READINGS
    assert lines(batches) == [[2, 4]]
    assert orjson.loads(form.body(batches[0])) == {
        "readings": [
            {"point": "P", "time": "2026-01-01T00:00:00Z", "value": 1.5, "quality": "good"},
            {"point": "P", "time": "2026-01-01T00:00:01Z", "value": None, "quality": "bad"},
        ]
    }


@pytest.mark.parametrize(
    ("row", "code"),
    [("P,t,１２", "not_a_number"), ("P,t,1_0", "not_a_number"), ("P,t,1e999", "not_finite"), ("P,t", "bad_width")],
)
def test_a_row_without_a_number_is_rejected_alone(tmp_path: Path, row: str, code: str):
    _, batches = read(tmp_path / "f", f"point,time,value\n{row}\nP,t,1\n".encode())

    assert [(each.line, each.code) for each in batches if isinstance(each, Rejection)] == [(2, code)]
    assert lines(batches) == [[3]]


def test_readings_in_another_encoding_are_read_when_it_is_named(tmp_path: Path):
    content = "point,time,value\n温度,t,1\n".encode("gb18030")

    _, batches = read(tmp_path / "f", content, "gb18030")

    assert orjson.loads(batches[0][0].body)["point"] == "温度"
    with pytest.raises(Refusal, match="not utf-8 after line"):
        read(tmp_path / "f", content)
    with pytest.raises(Refusal, match="no encoding"):
        read(tmp_path / "f", content, "martian")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'[{"id":"a"}]', "one JSON list"),
        (b"point,time\n", "should have the columns"),
        (b"point,time,value,unit\n", "should have the columns"),
        (b"point,time,value,value\n", "should have the columns"),
        (b'point,time,value\n"P,t,1\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_cannot_be_pushed_is_refused_as_a_whole(tmp_path: Path, content: bytes, sentence: str):
    with pytest.raises(Refusal, match=sentence):
        read(tmp_path / "f", content)


def test_an_empty_file_holds_nothing(tmp_path: Path):
    assert read(tmp_path / "f", b"")[1] == []
