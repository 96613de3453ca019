"""What the console counts."""

from prometheus_client import Counter

ACCEPTED, REFUSED, NOT_HEARD = "accepted", "refused", "not_heard"
LOGINS = Counter("fengsui_logins", "Attempts to log in, by what became of them", ["outcome"])
for _outcome in (ACCEPTED, REFUSED, NOT_HEARD):
    LOGINS.labels(_outcome)
