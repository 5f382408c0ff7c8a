"""A host that a tenant names never leads inside, however its address is dressed up."""

import pytest

from core import addresses
from core.addresses import OPERATOR, AddressRefused, Reach, tenant_reach
from core.errors import Unavailable
from core.settings import Settings

INTERNAL = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254", "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a00:1::1", "2001::1", "2001:db8::1",
    "100::1", "4000::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address_is_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.1", "2130706433", "0x7f000001", "0", "::1", "169.254.169.254"]
)
async def test_a_tenants_host_that_leads_inside_is_refused_by_name(host: str) -> None:
    with pytest.raises(AddressRefused, match="GETSALE_INTERNAL_HOSTS"):
        await addresses.resolve(host, 80, Reach())


async def test_a_host_on_the_operators_list_is_let_through_on_its_port_only() -> None:
    reach = tenant_reach(Settings(internal_hosts=" Localhost:8443, 127.0.0.2 "))

    assert await addresses.resolve("localhost", 8443, reach)
    assert await addresses.resolve("127.0.0.2", 25, reach) == ["127.0.0.2"]
    with pytest.raises(AddressRefused):
        await addresses.resolve("localhost", 8444, reach)


async def test_the_operators_own_hosts_may_be_internal() -> None:
    assert await addresses.resolve("127.0.0.1", 80, OPERATOR) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "a" * 70 + ".example", "bad host"])
async def test_a_host_that_does_not_exist_is_named(host: str) -> None:
    with pytest.raises((Unavailable, AddressRefused)):
        await addresses.resolve(host, 80, Reach())
