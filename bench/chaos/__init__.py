"""The fault test: a stack under load is hurt in every way we know, then its books are audited to the last event."""
