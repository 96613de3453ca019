"""The language and the plumbing of every service; no rule of the trade lives here."""
