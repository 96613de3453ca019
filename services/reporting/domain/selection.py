"""Of which part of what happened figures are asked for."""

from dataclasses import dataclass
from datetime import date

from shared.vocabulary import Industry, Level


@dataclass(frozen=True, slots=True)
class Selection:
    """What the staff may see of it, and what they ask for; None or empty: all of it."""

    sight: str
    """What every region in sight begins with."""
    own: str | None
    """The one enterprise in sight, where the staff is an enterprise's."""
    first: date | None = None
    last: date | None = None
    """Days between which it happened, both inside; a stock has no period."""
    day: date | None = None
    within: str | None = None
    """What every region asked for begins with."""
    industries: tuple[Industry, ...] = ()
    levels: tuple[Level, ...] = ()
    grades: tuple[str, ...] = ()
    """An empty one for what has no grade."""
    enterprise: str | None = None
