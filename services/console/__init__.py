"""Knows the staff: who has an account, what role, and where."""
