"""Decide which of the web addresses that people enter may be called.

A host name does not tell where it leads. So each network address that it resolves to is checked, and the
connection then goes to an address that was checked.
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
    """The address must not be called, or the answer from there is of no use."""


@dataclass(frozen=True)
class Target:
    """A web address in parts. `host` is ASCII in lower case."""

    scheme: str
    host: str
    port: int
    path: str


def parse_address(text: str, *, loopback: bool = False) -> Target:
    """Return an address in its parts. Raise `AddressRefused` (address-malformed, address-not-https). Plain
    http is accepted only with `loopback`, which is meant for tests on one machine."""
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


def names_loopback(text: str) -> bool:
    """Return whether an address names the machine that calls it, by number or as `localhost`."""
    try:
        host = (urlsplit(text).hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: Address) -> bool:
    """Return whether a network address is a public one of the internet: not private, loopback, link-local,
    shared, multicast, reserved, for documentation, or that of a cloud's metadata service, nor an IPv6 address
    that contains such an IPv4 one."""
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
    """Return the addresses that a name resolved to, provided that every one of them may be called. With
    `loopback` addresses of this machine may be called too. Raise `AddressRefused` (host-unknown,
    address-not-public) otherwise."""
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
