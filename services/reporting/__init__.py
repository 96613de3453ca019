"""Counts what happened; never decides."""
