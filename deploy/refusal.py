"""A command that cannot be done says why in one sentence, without a traceback."""


class Refusal(Exception):
    """The sentence for the person at the terminal; the command line prints it and exits 1."""
