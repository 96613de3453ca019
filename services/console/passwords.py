"""Passwords are hashed and compared away from the loop, two at a time, and as slowly for a name that nobody has."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.problems import Problem

AT_ONCE: Final = 2
"""Each takes 64 MiB and a core for some 50 ms."""
PATIENCE_S: Final = 10.0


class Passwords:
    """The one place where passwords are read."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("nobody has this account")

    async def fits(self, hashed: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed; None for an account that there is not."""
        async with _Turn(self._turns):
            fitting = await asyncio.to_thread(self._compare, hashed or self._nobodys, password)
        return fitting and hashed is not None

    async def hash(self, password: str) -> str:
        """The argon2id hash of a new password."""
        async with _Turn(self._turns):
            return await asyncio.to_thread(self._hasher.hash, password)

    def _compare(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


class _Turn:
    """A turn that comes within some seconds, or not at all."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns

    async def __aenter__(self) -> None:
        try:
            await asyncio.wait_for(self._turns.acquire(), PATIENCE_S)
        except TimeoutError as error:
            busy = "too many people log in at this moment"
            raise Problem(503, "busy", busy, headers={"Retry-After": "5"}) from error

    async def __aexit__(self, *_: object) -> None:
        self._turns.release()
