"""The ways in: each checks, names and accepts by the same rules."""
