"""The words on the bus: every payload, once, as CloudEvents 1.0 in structured JSON."""
