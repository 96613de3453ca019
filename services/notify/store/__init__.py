"""Rows into values and back; the only place that knows notify's tables."""
