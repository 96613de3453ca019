"""SQL lives in `queries.sql` beside the code that uses it; a misspelt name fails at import."""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def statements(package: str) -> dict[str, str]:
    """Each statement of the package's queries.sql under its name."""
    _, *parts = _NAME.split((files(package) / "queries.sql").read_text("utf-8"))
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
