"""No webhook reaches a machine of our own network, however its address is spelt or resolved."""

import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291, deprecated
_CLOUD_HOST: Final = IPv4Address("168.63.129.16")  # public in form, yet the host of a virtual machine


class RefusedAddress(OSError):
    """The target is not one that a webhook may reach."""


def is_permitted(address: Address, allow: Sequence[Network]) -> bool:
    """Whether a webhook may reach an address: a public one, or one that the operator allows."""
    real = _inner(address)
    if any(real in network for network in allow if network.version == real.version):
        return True
    return real.is_global and not (real.is_multicast or real.is_reserved or real == _CLOUD_HOST)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if inner := address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1]):
        return inner
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def literal(host: str) -> Address | None:
    """The address that a host spells out, in any of the ways that a resolver understands; None for a name."""
    if ":" in host:
        return ip_address(host.partition("%")[0])
    try:
        return IPv4Address(socket.inet_aton(host))  # takes 127.1, 0x7f.1 and 2130706433 as well
    except OSError:
        return None


@lru_cache(maxsize=4096)  # the same few are called again and again, and to parse one costs as much as to sign
def checked(target: str, allow: tuple[Network, ...]) -> URL:
    """The URL as it may be called, a literal address in its plain form; raises RefusedAddress or ValueError."""
    url = URL(target)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("only http and https URLs with a host are called")
    address = literal(url.host)
    if address is None:
        return url
    if not is_permitted(address, allow):
        raise RefusedAddress(f"{address} is not a public address")
    return url.with_host(str(address))


class PublicResolver(AbstractResolver):
    """Resolves a name and hands out only permitted addresses, so that what was checked is what is connected to."""

    def __init__(self, allow: Sequence[Network], resolver: AbstractResolver) -> None:
        self._allow, self._resolver = allow, resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises RefusedAddress when no address of the name is permitted."""
        found = await self._resolver.resolve(host, port, family)
        permitted = [each for each in found if self._permits(each)]
        if found and not permitted:
            raise RefusedAddress(f"{host} has no public address")
        return permitted

    def _permits(self, found: Any) -> bool:
        address = literal(found["host"])
        return address is not None and is_permitted(address, self._allow)

    async def close(self) -> None:
        await self._resolver.close()
