"""Web addresses that people give and the platform calls: which may be called at all.

A name says nothing of where it leads. What is checked is each address of the network that a name
resolves to, and the connection then goes to the very one that was checked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from accounts.domain.errors import Refused

type Address = IPv4Address | IPv6Address

LONGEST = 1000
_PLAIN_PORT, _SAFE_PORT, _FIRST_FREE_PORT = 80, 443, 1024
_PATH_SIGNS = "/%:@!$&'()*+,;=-._~"

# Public by their number, and yet not places of the internet.
_SPECIAL_4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; a cloud's metadata among them
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # a cloud's own services and metadata
)
_UNICAST_6 = IPv6Network("2000::/3")
_SPECIAL_6 = (
    IPv6Network("2001::/23"),  # protocol assignments; Teredo among them
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4: an IPv4 address in disguise
    IPv6Network("3fff::/20"),
)
_TRANSLATED = IPv6Network("64:ff9b::/96")


class AddressRefused(Refused):
    """The address cannot be called, or what answers there is of no use."""


@dataclass(frozen=True)
class Target:
    """What a web address says: where, and what to ask for there. `host` is ASCII, lower case."""

    scheme: str
    host: str
    port: int
    path: str


def parse_address(text: str, *, loopback: bool = False) -> Target:
    """Return an address in its parts; `AddressRefused`: address-malformed, address-not-https. Plain
    http is taken only with `loopback`, which is for tests on one machine."""
    if len(text) > LONGEST or any(ord(sign) <= 32 or ord(sign) == 127 for sign in text):
        raise AddressRefused("address-malformed")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        if ":" not in host:
            host = host.rstrip(".").encode("idna").decode().lower()
    except ValueError:  # of urlsplit, of ports, and UnicodeError of names
        raise AddressRefused("address-malformed") from None
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise AddressRefused("address-not-https")
    if not host or "%" in host or "@" in parts.netloc or "\\" in text:
        raise AddressRefused("address-malformed")
    usual = _SAFE_PORT if parts.scheme == "https" else _PLAIN_PORT
    port = usual if port is None else port
    if port != usual and port < _FIRST_FREE_PORT:
        raise AddressRefused("address-malformed")
    path = quote(parts.path or "/", safe=_PATH_SIGNS)
    if parts.query:
        path += "?" + quote(parts.query, safe=_PATH_SIGNS + "?[]")
    return Target(parts.scheme, host, port, path)


def is_public(address: Address) -> bool:
    """Return whether it is a place of the internet that anybody may call: not private, loopback,
    link-local, shared, multicast, reserved, for documentation, or a cloud's metadata; also not by
    way of an IPv6 address that stands for an IPv4 one."""
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not any(address in network for network in _SPECIAL_4)
        )
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _TRANSLATED:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return (
        address in _UNICAST_6
        and address.is_global
        and address.scope_id is None
        and not any(address in network for network in _SPECIAL_6)
    )


def callable_addresses(resolved: Iterable[str], *, loopback: bool = False) -> Sequence[str]:
    """Return what a name resolved to, if all of it may be called: one address among them that may
    not speaks against the name. With `loopback` all must be this machine. `AddressRefused`:
    host-unknown, address-not-public."""
    addresses = list(dict.fromkeys(resolved))
    if not addresses:
        raise AddressRefused("host-unknown")
    for text in addresses:
        address = ip_address(text)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not (is_public(address) or (loopback and address.is_loopback)):
            raise AddressRefused("address-not-public")
    return addresses
