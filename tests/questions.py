"""How a page of any list is asked for wrongly."""

WRONG_PAGES = [
    ("limit=-1", 422, "invalid"),
    ("limit=0", 422, "invalid"),
    ("limit=1e9", 422, "invalid"),
    ("cursor=forged", 400, "bad_cursor"),
    ("cursor=W10", 400, "bad_cursor"),
    ("cursor=" + "A" * 400, 400, "bad_cursor"),
    ("cursor=" + "A" * 501, 422, "invalid"),
]
"""Query, status and code."""
