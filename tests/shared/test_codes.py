"""A credit code proves itself; a region tells by its form whose it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codes import (
    parent_of,
    prefix_of,
    region_at,
    regions,
    tier_of,
    uscc_check_character,
    uscc_fault,
)
from shared.vocabulary import Tier

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("code", ["91110000600037341L", "91350100M000100Y43", "91220203MA00000015"])
def test_a_real_code_is_valid(code: str) -> None:
    assert uscc_fault(code) is None


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("91350100M000100Y44", "bad_uscc_check"),
        ("91350100M000100Y4", "bad_length"),
        ("91350100M000100Y430", "bad_length"),
        ("", "bad_length"),
        ("220203000012345", "old_licence_number"),
        ("91350100m000100y43", "bad_character"),
        ("91350100I000100Y43", "bad_character"),
        ("91350100O000100Y43", "bad_character"),
        ("91350100Z000100Y43", "bad_character"),
        ("91350100S000100Y43", "bad_character"),
        ("91350100V000100Y43", "bad_character"),
        ("0" * 18, "bad_uscc_check"),
    ],
)
def test_a_wrong_code_is_told_why(code: str, fault: str) -> None:
    found = uscc_fault(code)

    assert found is not None
    assert found[0] == fault


@pytest.mark.parametrize("stranger", ["Ａ", "А", "１"])
def test_a_full_width_or_foreign_letter_is_shown_with_its_place(stranger: str) -> None:
    found = uscc_fault("91350100" + stranger + "000100Y43")

    assert found is not None
    assert found[0] == "bad_character"
    assert f"{stranger!r} at place 9" in found[1]
    assert "全角字符" in found[1]


@given(st.text(ALPHABET, min_size=17, max_size=17).filter(lambda body: body.strip("0")), st.integers(0, 16), st.data())
def test_one_changed_character_is_always_found(body: str, place: int, data: st.DataObject) -> None:
    code = body + uscc_check_character(body)
    other = data.draw(st.sampled_from(ALPHABET.replace(code[place], "")))

    assert uscc_fault(code) is None
    assert uscc_fault(code[:place] + other + code[place + 1 :]) is not None


def test_every_region_has_its_parent_among_the_regions() -> None:
    known = regions()

    assert known["220000"].tier is Tier.PROVINCE
    assert known["220000"].parent is None
    for region in known.values():
        if region.tier is not Tier.PROVINCE:
            assert region.parent is not None
            assert known[region.parent].tier is not Tier.COUNTY
            assert region.code.startswith(prefix_of(region.parent))


@pytest.mark.parametrize(
    ("code", "tier", "parent", "prefix"),
    [
        ("220203", Tier.COUNTY, "220200", "220203"),
        ("220200", Tier.CITY, "220000", "2202"),
        ("220000", Tier.PROVINCE, None, "22"),
    ],
)
def test_the_form_of_a_code_tells_its_tier(code: str, tier: Tier, parent: str | None, prefix: str) -> None:
    assert tier_of(code) is tier
    assert parent_of(code) == parent
    assert prefix_of(code) == prefix


def test_the_region_of_a_tier_holds_the_given_one_or_is_it() -> None:
    assert [region_at("220203", tier) for tier in Tier] == ["220203", "220200", "220000"]
    assert region_at("220000", Tier.CITY) == "220000"
    assert region_at("220200", Tier.COUNTY) == "220200"
