"""An error tells by its kind whether a record is to blame, the server, or the code."""

import asyncio

import asyncpg
import pytest

from shared.database import Kind, kind_of


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CharacterNotInRepertoireError("NUL"),
        asyncpg.NumericValueOutOfRangeError(),
        asyncpg.UniqueViolationError(),
        asyncpg.CheckViolationError(),
        asyncpg.DataError("year 10000 is out of range"),
        asyncpg.ProgramLimitExceededError(),
        ValueError("no such unit"),
        KeyError("unit"),
    ],
)
def test_what_the_record_holds_is_its_own_fault(error: Exception) -> None:
    assert kind_of(error) is Kind.DATA


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        TimeoutError(),
        asyncio.IncompleteReadError(b"", 5),
        MemoryError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.IdleInTransactionSessionTimeoutError(),
        asyncpg.InFailedSQLTransactionError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.QueryCanceledError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.ProtocolError("a session was cut in the middle of an answer"),
    ],
)
def test_what_passes_is_nobodys_fault(error: Exception) -> None:
    assert kind_of(error) is Kind.PASSING


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UndefinedTableError(),
        asyncpg.UndefinedColumnError(),
        asyncpg.InsufficientPrivilegeError(),
        asyncpg.FeatureNotSupportedError(),
        asyncpg.PostgresSyntaxError(),
        asyncpg.DataCorruptedError(),
    ],
)
def test_a_schema_that_does_not_fit_is_the_codes_fault(error: Exception) -> None:
    assert kind_of(error) is Kind.BROKEN
