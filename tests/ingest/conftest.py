"""Two enterprises at the door: one that errs, and one that must not notice."""

import pytest

from tests.ingest.pushing import Plant
from tests.stack import Stack, uscc


async def settle(stack: Stack, number: int, region: str = "220203") -> Plant:
    """Registers an enterprise with its points and a key."""
    code = uscc(number)
    await stack.register(code, ["L-1"], region, h=80, hh=90)
    return Plant(stack, code, await stack.register(code, ["T-1", "T-2"], region))


@pytest.fixture(scope="session")
async def plant(stack: Stack) -> Plant:
    """The enterprise that errs."""
    return await settle(stack, 7101)


@pytest.fixture(scope="session")
async def neighbour(stack: Stack) -> Plant:
    """The enterprise beside it."""
    return await settle(stack, 7102)
