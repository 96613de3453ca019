"""Tells the people on duty, tier by tier, until somebody answers."""
