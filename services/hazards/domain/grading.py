"""How grave a hazard is where its report names no colour."""

from typing import Final

from shared.vocabulary import Grade, Level

LEVEL_OF: Final = {Grade.MAJOR: Level.RED, Grade.GENERAL: Level.YELLOW}
"""The project's own choice: no rule maps the two grades to the four colours."""

LEVEL_ZH: Final = {Level.RED: "红色", Level.ORANGE: "橙色", Level.YELLOW: "黄色", Level.BLUE: "蓝色"}


def level_of(grade: Grade | None) -> Level:
    """The colour of a reported hazard; one that is not graded yet counts as general."""
    return LEVEL_OF[grade or Grade.GENERAL]
