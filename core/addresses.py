"""Where outbound connections may go: a host that a tenant names never leads into the operator's own network."""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from core.errors import Unavailable, Unprocessable
from core.settings import Settings

# Source: RFC 4291 section 2.5.5 (mapped, compatible), RFC 6052 section 2.1 (NAT64), RFC 3056 section 2 (6to4)
_EMBEDDING = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_RESOLVE_SECONDS = 5.0


class AddressRefused(Unprocessable):
    """The host leads to an address that a tenant's settings may not reach."""

    code = "address_refused"


@dataclass(frozen=True)
class Reach:
    """How far connections may go: anywhere, or public addresses and the listed hosts (`name` or `name:port`)."""

    is_anywhere: bool = False
    internal_hosts: frozenset[str] = frozenset()

    def admits(self, host: str, port: int) -> bool:
        """Whether the host may be internal."""
        name = _plain(host)
        return self.is_anywhere or bool({name, f"{name}:{port}"} & self.internal_hosts)


# For hosts from the operator's own environment.
OPERATOR = Reach(is_anywhere=True)


def tenant_reach(settings: Settings) -> Reach:
    """How far a host may lead that a tenant has set."""
    hosts = (_plain(host) for host in settings.internal_hosts.split(","))
    return Reach(internal_hosts=frozenset(host for host in hosts if host))


def _plain(host: str) -> str:
    return host.strip().lower().rstrip(".").replace("[", "").replace("]", "")


async def resolve(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of a host, each checked: connect to one of these, never to the name again.

    Raises: AddressRefused when any of them is internal and the host is not on the operator's list;
        Unavailable when the name leads nowhere.
    """
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as err:
        raise Unavailable(f"The host {host} is not known; check its spelling.") from err
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not reach.admits(host, port) and not all(is_public(address) for address in addresses):
        raise AddressRefused(
            f"The host {host} leads to an internal address; only the operator may allow that, "
            "by listing it in GETSALE_INTERNAL_HOSTS."
        )
    return addresses


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also when it only wraps one that does not."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return _is_public_v4(parsed)
    inner = _embedded(parsed)
    if inner is not None:
        return _is_public_v4(inner)
    return parsed in _PUBLIC_V6 and parsed.is_global and parsed.teredo is None


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to, if it does."""
    for network, shift in _EMBEDDING:
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None
