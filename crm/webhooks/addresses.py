"""Which addresses an endpoint may have; where they lead is checked again at every call, by core/http.py."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from core.addresses import AddressRefused, Reach, is_public
from core.errors import Unprocessable


def check_url(url: str, reach: Reach) -> str:
    """The address as it is kept. Raises: AddressRefused; Unprocessable, naming what is wrong with it."""
    address = url.strip()
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as err:
        raise _refused(f"{address} is no address: {err}.") from err
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or c < " " for c in address):
        raise _refused(f"{address} is no address of a web server; it looks like https://example.com/hooks.")
    if parts.username or parts.password or parts.fragment:
        raise _refused("The address of a webhook holds no user, password or fragment.")
    if reach.admits(host, port):
        return address
    if parts.scheme != "https":
        raise _refused("What is sent must be encrypted; give an address that begins with https://.")
    if _is_internal(host):
        raise AddressRefused(f"The host {host} is internal; only the operator may allow that.", field="url")
    return address


def _is_internal(host: str) -> bool:
    """Whether the host is internal by its name alone, without asking any server."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _refused(detail: str) -> Unprocessable:
    return Unprocessable(detail, field="url")
