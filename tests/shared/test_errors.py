"""What may be told of an error is its kind and the schema's own names, and no value."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from shared.errors import told


@pytest.mark.postgres
async def test_of_a_value_that_postgresql_refuses_only_the_kind_is_told(database: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.DataError) as refused:
        await database.execute("SELECT '张三 13800000000'::uuid")

    assert "张三" in str(refused.value)
    assert told(refused.value) == "InvalidTextRepresentationError 22P02"


async def test_of_a_server_that_refuses_only_the_kind_is_told() -> None:
    with pytest.raises(ConnectionRefusedError) as refused:
        await asyncpg.connect("postgresql://fengsui:hush@127.0.0.1:1/fengsui", timeout=5)

    assert told(refused.value) == "ConnectionRefusedError ECONNREFUSED"


@pytest.mark.parametrize("error", [ValueError("张三"), KafkaConnectionError("Unable to bootstrap from [('10.0.0.1')]")])
def test_of_any_other_error_the_class_is_told(error: Exception) -> None:
    assert told(error) == type(error).__name__
