"""Independent services: each owns its data, and speaks to the others only through topics."""
