"""Times as staff write them: RFC 3339 with offset, such as a database can hold, and in UTC once they are read."""

import re
from datetime import UTC
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_FORM: Final = re.compile(
    r"(?:19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _rfc3339(given: object) -> object:
    """pydantic alone takes numbers as well, and guesses their unit."""
    if not isinstance(given, str) or not _FORM.fullmatch(given):
        raise ValueError("a time is RFC 3339 with offset, such as 2026-11-25T08:00:00+08:00")
    return given


WrittenMoment = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(lambda at: at.astimezone(UTC))]
