"""The one outbound HTTP client: it connects only to addresses that were checked, and follows no redirects."""

import httpx2

from core import addresses
from core.addresses import Reach

CONNECT_SECONDS = 10.0
# A proxy of the operator's environment is for the world outside, not for servers of this machine.
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def client(reach: Reach, *, timeout_seconds: float) -> httpx2.AsyncClient:
    """A client for hosts within `reach`; `timeout_seconds` is the longest silence. Close it with `aclose()`.

    A request raises, besides the errors of httpx2: AddressRefused, Unavailable.
    """
    timeout = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
    if reach.is_anywhere:
        return httpx2.AsyncClient(timeout=timeout, mounts=dict.fromkeys(_LOOPBACK))
    # Without the environment's proxies: those would resolve the name again, and reach what we may not.
    return httpx2.AsyncClient(timeout=timeout, transport=_Checked(reach), trust_env=False)


class _Checked(httpx2.AsyncBaseTransport):
    """Connects to the checked addresses of a host; its certificate is checked against its name all the same."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        # One pool a host: two names on one address must not share a connection that was checked for one of them.
        self._pools: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        pool = self._pools.setdefault(host, httpx2.AsyncHTTPTransport())
        failed: httpx2.TransportError | None = None
        for address in await addresses.resolve(host, port, self._reach):
            try:
                return await pool.handle_async_request(_addressed(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as err:
                failed = err
        raise failed or httpx2.ConnectError(f"{host} has no address", request=request)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def _addressed(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request to one address; the Host header and the name of the certificate stay."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
