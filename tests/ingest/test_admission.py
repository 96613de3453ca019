"""One verdict an item: the event it is, or the code and the place of what is wrong with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.admission import Pusher, Refused, TooDeep, admit, deeper_than, digest
from shared.events.alarms import Alarm
from shared.events.event import event_id
from shared.events.hazards import HazardReport
from shared.events.readings import Heartbeat
from shared.topics import ALARMS, READINGS, REPORTS

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
PUSHER = Pusher("91350100M000100Y43", "测试企业", "220203", "petrochemical")
POINTS = {"T-101", "P-7"}
DATA: dict[str, dict[str, Any]] = {
    "fengsui.alarm.v1": {"point": "T-101", "level": "red", "state": "raised"},
    "fengsui.hazard.v1": {"title": "安全阀未校验", "category": "equipment"},
    "fengsui.heartbeat.v1": {"interval_s": 60},
}


def item(kind: str = "fengsui.alarm.v1", without: str = "", data: Any = None, **more: Any) -> dict[str, Any]:
    """A CloudEvent; `data` changes the members of its data."""
    made = {
        "specversion": "1.0",
        "id": "a1",
        "source": "//plant/dcs",
        "type": kind,
        "time": "2026-11-25T16:00:00+08:00",
        "data": DATA.get(kind, {}) | (data or {}),
    } | more
    return {name: value for name, value in made.items() if name != without}


def hazard(**data: Any) -> dict[str, Any]:
    return item("fengsui.hazard.v1", data=data)


def verdict(given: object) -> tuple[str, str]:
    """Code and pointer of the refusal; ("", "") where the item is admitted."""
    try:
        admit(given, PUSHER, POINTS, NOW)
    except Refused as refused:
        return refused.code, refused.pointer
    return "", ""


def test_an_alarm_is_named_by_who_pushed_it_and_happened_when_it_says():
    event = admit(item(data={"value": 1.5}), PUSHER, POINTS, NOW + timedelta(seconds=3))

    assert isinstance(event, Alarm)
    assert event.id == event_id(PUSHER.uscc, "//plant/dcs", "a1")
    assert (event.time, event.accepted) == (NOW, NOW + timedelta(seconds=3))
    assert (event.enterprise, event.region, event.industry) == (PUSHER.uscc, "220203", "petrochemical")


def test_a_hazard_or_a_heartbeat_without_a_time_happened_when_it_came():
    report = admit(item("fengsui.hazard.v1", without="time"), PUSHER, POINTS, NOW)
    heartbeat = admit(item("fengsui.heartbeat.v1", without="time"), PUSHER, POINTS, NOW)

    assert isinstance(report, HazardReport)
    assert isinstance(heartbeat, Heartbeat)
    assert report.time == heartbeat.time == NOW


def test_what_is_admitted_can_be_read_from_the_bus():
    for kind, topic in zip(DATA, (ALARMS, REPORTS, READINGS), strict=True):
        event = admit(item(kind), PUSHER, POINTS, NOW)

        assert topic.reader.validate_json(event.wire()) == event


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time"])
def test_a_missing_attribute_is_named(name):
    assert verdict(item(without=name)) == ("missing_attribute", f"/{name}")


@pytest.mark.parametrize(
    ("given", "code", "pointer"),
    [
        ("x", "bad_shape", ""),
        (item(specversion="0.3"), "bad_specversion", "/specversion"),
        (item(id=""), "bad_id", "/id"),
        (item(id=" \u3000\t"), "bad_id", "/id"),
        (item(id="x" * 257), "bad_id", "/id"),
        (item(id="a\x00b"), "bad_id", "/id"),
        (item(id=7), "bad_id", "/id"),
        (item(source=""), "bad_source", "/source"),
        (item(source="a\nb"), "bad_source", "/source"),
        (item(source="x" * 2049), "bad_source", "/source"),
        (item(source=None), "bad_source", "/source"),
        (item(type="fengsui.alarm.v999"), "unknown_type", "/type"),
        (item(type=["fengsui.alarm.v1"]), "unknown_type", "/type"),
        (item(Enterprise="x"), "bad_attribute", "/Enterprise"),
        (item(**{"data-x": 1}), "bad_attribute", "/data-x"),
        (item(**{"a/b~c": 1}), "bad_attribute", "/a~1b~0c"),
        (item(a23456789012345678901=1), "bad_attribute", "/a23456789012345678901"),
        (item(extension={"a": 1}), "bad_attribute", "/extension"),
        (item(subject=7), "bad_attribute", "/subject"),
        (item(enterprise="91350100M000100Y44"), "not_yours", "/enterprise"),
        (item(datacontenttype="text/xml"), "bad_data", "/datacontenttype"),
        (item(data_base64="!"), "bad_data", "/data_base64"),
        (item(data_base64="e30=", without="data"), "bad_data", "/data_base64"),
        (item(without="data"), "missing_member", "/data"),
        (item() | {"data": [1]}, "bad_data", "/data"),
        (item() | {"data": "{}"}, "bad_data", "/data"),
        (item(data={"point": "X"}), "unknown_point", "/data/point"),
        (item(data={"point": "../../etc/passwd"}), "unknown_point", "/data/point"),
        (item(data={"point": ""}), "bad_point", "/data/point"),
        (item(data={"point": "x" * 65}), "bad_point", "/data/point"),
        (item(data={"point": 7}), "not_text", "/data/point"),
        (item(data={"level": "RED"}), "bad_level", "/data/level"),
        (item(data={"level": "红"}), "bad_level", "/data/level"),
        (item(data={"level": "purple"}), "bad_level", "/data/level"),
        (item(data={"state": "on"}), "bad_state", "/data/state"),
        (item(data={"value": float("nan")}), "not_finite", "/data/value"),
        (item(data={"value": float("inf")}), "not_finite", "/data/value"),
        (item(data={"limit": float("-inf")}), "not_finite", "/data/limit"),
        (item(data={"value": 10**400}), "not_a_number", "/data/value"),
        (item(data={"value": "1.5"}), "not_a_number", "/data/value"),
        (item(data={"value": "１２"}), "not_a_number", "/data/value"),
        (item(data={"value": "1_000"}), "not_a_number", "/data/value"),
        (item(data={"value": True}), "not_a_number", "/data/value"),
        (item(data={"value": [1]}), "not_a_number", "/data/value"),
        (item(data={"colour": "red"}), "unknown_member", "/data/colour"),
        (item(data={"a/b": 1}), "unknown_member", "/data/a~1b"),
        (item(data={"message": "x" * 65537}), "too_long", "/data/message"),
        (item(data={"message": "a\x00"}), "nul_character", "/data/message"),
        (hazard(title=""), "blank", "/data/title"),
        (hazard(title=" \u3000 "), "blank", "/data/title"),
        (hazard(title="隐" * 65537), "too_long", "/data/title"),
        (hazard(title="a\x00"), "nul_character", "/data/title"),
        (hazard(grade="重大"), "bad_grade", "/data/grade"),
        (hazard(category="消防"), "bad_category", "/data/category"),
        (hazard(attachments=[{"url": "file:///x", "sha256": "0" * 64}]), "bad_text", "/data/attachments/0/url"),
        (hazard(attachments=[{"url": "https://a/\x00", "sha256": "0" * 64}]), "bad_text", "/data/attachments/0/url"),
        (hazard(attachments=[{"url": "https://a/b"}]), "missing_member", "/data/attachments/0/sha256"),
        (hazard(attachments={}), "bad_data", "/data/attachments"),
        (item("fengsui.heartbeat.v1", data={"interval_s": 0}), "out_of_range", "/data/interval_s"),
        (item("fengsui.heartbeat.v1", data={"interval_s": 86_401}), "out_of_range", "/data/interval_s"),
        (item("fengsui.heartbeat.v1", data={"interval_s": "60"}), "not_a_number", "/data/interval_s"),
    ],
)
def test_a_refusal_has_its_code_and_its_place(given, code, pointer):
    assert verdict(given) == (code, pointer)


@pytest.mark.parametrize(
    "given",
    [
        item(enterprise=PUSHER.uscc, comexample="x", traceparent="00-1-1-01", seq=7),
        item(subject="T-101", dataschema="https://plant/schema", datacontenttype="application/json;charset=utf-8"),
        item(id="../../etc/passwd"),
        item(id="C:\\x|rm -rf %2e%2e%2f"),
        item(id="x" * 256, source="//plant/一号 装置"),
        item(data={"value": None, "limit": 9007199254740993, "message": "\u202e<script>🧯𠮷"}),
        hazard(
            grade="major",
            unit="罐区",
            attachments=[{"url": "https://files/一.jpg", "sha256": "0f" * 32}],
            location=None,
        ),
        item("fengsui.heartbeat.v1", data={"interval_s": 86_400}),
    ],
)
def test_what_is_odd_but_sane_is_admitted(given):
    assert verdict(given) == ("", "")


def test_ids_are_compared_byte_by_byte():
    ids = {admit(item(id=pushed), PUSHER, POINTS, NOW).id for pushed in ("A", "a", "é", "e\u0301")}

    assert len(ids) == 4


def test_the_same_id_of_two_enterprises_is_two_events():
    other = Pusher("91350100M000100Y44", "另一企业", "220203", "petrochemical")

    assert admit(item(), PUSHER, POINTS, NOW).id != admit(item(), other, POINTS, NOW).id


def test_minus_zero_is_zero():
    said = [admit(item(data={"value": value}), PUSHER, POINTS, NOW) for value in (-0.0, 0, 1e-400)]

    assert len({event.digest for event in said}) == 1
    assert str(said[0].data.value) == "0.0"


def test_thirty_two_levels_are_taken_and_one_more_is_too_deep():
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert not deeper_than(nested(32), 32)
    assert deeper_than(nested(33), 32)
    with pytest.raises(TooDeep):
        admit(item() | {"data": nested(33)}, PUSHER, POINTS, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(given=JSON)
def test_no_json_value_is_worse_than_refused(given):
    assert verdict(given)[0] != ""


@given(name=st.sampled_from([*item(), "subject", "x"]), value=JSON, kind=st.sampled_from([*DATA]))
def test_an_envelope_with_any_value_anywhere_is_admitted_or_refused(name, value, kind):
    code, _ = verdict(item(kind) | {name: value})

    assert code != "invalid"


MEMBERS = ["point", "level", "state", "value", "title", "category", "grade", "attachments", "unit", "interval_s"]


@given(member=st.sampled_from(MEMBERS), value=JSON, kind=st.sampled_from([*DATA]))
def test_data_with_any_value_anywhere_is_admitted_or_refused(member, value, kind):
    code, _ = verdict(item(kind, data={member: value}))

    assert code != "invalid"


@given(order=st.permutations(list(DATA["fengsui.alarm.v1"])))
def test_the_order_of_members_changes_no_digest(order):
    data = DATA["fengsui.alarm.v1"]
    reordered = item() | {"data": {name: data[name] for name in order}}

    assert admit(reordered, PUSHER, POINTS, NOW).digest == admit(item(), PUSHER, POINTS, NOW).digest


@given(
    data=st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False))
)
def test_content_that_is_spelt_otherwise_has_the_same_digest(data):
    respelt = orjson.loads(orjson.dumps(dict(reversed(data.items())), option=orjson.OPT_INDENT_2))

    assert digest("x", NOW, respelt) == digest("x", NOW, data)


def test_other_content_has_another_digest():
    said = [item(), item(time="2026-11-25T08:00:01Z"), item(data={"level": "orange"}), item(data={"message": ""})]

    assert len({admit(each, PUSHER, POINTS, NOW).digest for each in said}) == len(said)
