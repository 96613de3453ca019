"""Every text of the console can be read in Chinese, and none of its gaps is lost on the way."""

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.console import words
from services.console.pages import STATIC, environment, translations

ROOM = STATIC.parent
GAP = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@cache
def said() -> dict[str, str]:
    """Every msgid with the file it stands in; English that a template puts together is not one."""
    found = extract_from_dir(
        str(ROOM),
        [("static/**", "ignore"), ("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords={"_": None, "text": (2,)},
    )
    return {str(msgid): file for file, _line, msgid, _comments, _context in found}


def catalogue(locale: str) -> Catalog:
    with (ROOM / "texts" / f"{locale}.po").open("rb") as source:
        return read_po(source, locale=locale, abort_invalid=True)


def test_every_text_has_its_chinese():
    known = {message.id for message in catalogue("zh") if message.string}

    assert [f"{file}: {msgid}" for msgid, file in said().items() if msgid not in known] == []


def test_no_catalogue_keeps_what_nobody_says():
    for locale in ("zh", "en"):
        assert [message.id for message in catalogue(locale) if message.id and message.id not in said()] == []


def test_a_translation_has_the_gaps_of_its_original():
    for locale in ("zh", "en"):
        for message in catalogue(locale):
            if message.id:
                assert sorted(GAP.findall(message.string)) == sorted(GAP.findall(str(message.id))), message.id


def test_chinese_is_not_left_in_english():
    left = [
        message.id
        for message in catalogue("zh")
        if message.id
        and not re.search(r"[\u3001-\u9fff]", str(message.string))
        and re.search("[a-z]{3}", message.string)
    ]

    assert left == []


@pytest.mark.parametrize("kind", words.WORDS)
def test_every_word_on_the_wire_reads_as_chinese(kind: str):
    for english in words.WORDS[kind].values():
        assert translations("zh").gettext(english) != english or english.isupper()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_template_can_be_read(locale: str):
    env = environment(locale)

    for name in env.list_templates():
        env.get_template(name)
