"""What anyone may be told of an error: its kind and what it met, never a value, an address or a password."""

import errno

import asyncpg


def told(error: BaseException) -> str:
    """The class, with the state and the objects of the schema where PostgreSQL said them; details belong in the log."""
    words = [type(error).__name__]
    if isinstance(error, asyncpg.PostgresError):
        words += [error.sqlstate] if error.sqlstate else []
        for what in ("table", "column", "constraint"):
            name = getattr(error, f"{what}_name", None)
            words += [f"{what} {name}"] if name else []
    elif isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        words.append(errno.errorcode[error.errno])
    return " ".join(words)
