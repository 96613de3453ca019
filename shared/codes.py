"""The trade's codes: what makes a credit code valid, and which region lies in which."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from shared.vocabulary import Tier

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_USCC_VALUES = {character: value for value, character in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = [pow(3, place, 31) for place in range(17)]


def uscc_check_character(body: str) -> str:
    """The eighteenth character of a unified social credit code (GB 32100-2015) for its first 17."""
    total = sum(_USCC_VALUES[c] * w for c, w in zip(body, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def uscc_fault(code: str) -> tuple[str, str] | None:
    """Why a text is no unified social credit code, as (stable code, sentence); None when it is one."""
    if len(code) == 15 and code.isascii() and code.isdigit():
        return "old_licence_number", "a 15-digit licence number; the 18-character credit code is needed"
    if len(code) != 18:
        return "bad_length", f"a credit code has 18 characters, this has {len(code)}"
    for place, character in enumerate(code, start=1):
        if character not in _USCC_VALUES:
            hint = " (全角字符 or another script)" if not character.isascii() else ""
            return "bad_character", f"{character!r} at place {place} cannot stand in a credit code{hint}"
    if code.strip("0") == "":
        return "bad_uscc_check", "all zeros is no credit code"
    expected = uscc_check_character(code[:17])
    if code[17] != expected:
        return "bad_uscc_check", "the check character does not fit the 17 characters before it"
    return None


@dataclass(frozen=True, slots=True)
class Region:
    """One administrative division (GB/T 2260, with the statistical zones that report like one)."""

    code: str
    name: str
    level: str
    parent: str | None
    pinyin: str = ""
    """Its name in English texts."""

    @property
    def tier(self) -> Tier:
        """The government level that answers for it."""
        return tier_of(self.code)


@cache
def regions() -> dict[str, Region]:
    """Every region of the province by its code."""
    text = (files("shared") / "regions.csv").read_text("utf-8")
    rows = (line.split(",") for line in text.splitlines()[1:] if line)
    return {row[0]: Region(row[0], row[1], row[3], row[4] or None, row[2]) for row in rows}


def tier_of(code: str) -> Tier:
    """The tier of a region by the form of its code."""
    if code.endswith("0000"):
        return Tier.PROVINCE
    return Tier.CITY if code.endswith("00") else Tier.COUNTY


def parent_of(code: str) -> str | None:
    """The region one tier up; None above the province. The prefix rule of GB/T 2260."""
    match tier_of(code):
        case Tier.COUNTY:
            return code[:4] + "00"
        case Tier.CITY:
            return code[:2] + "0000"
        case _:
            return None


def prefix_of(code: str) -> str:
    """The digits that every region inside this one begins with."""
    return {Tier.PROVINCE: code[:2], Tier.CITY: code[:4], Tier.COUNTY: code}[tier_of(code)]


def region_at(code: str, tier: Tier) -> str:
    """The region of that tier that holds the given one (or the region itself when it is higher)."""
    match tier:
        case Tier.PROVINCE:
            return code[:2] + "0000"
        case Tier.CITY:
            return code if tier_of(code) is Tier.PROVINCE else code[:4] + "00"
        case _:
            return code
