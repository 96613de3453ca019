"""Owns every case from first sign to write-off."""
