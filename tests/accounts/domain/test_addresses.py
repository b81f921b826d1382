"""Which web addresses may be called."""

from ipaddress import ip_address

import pytest

from accounts.domain.addresses import AddressRefused, Target, callable_addresses, is_public, parse_address


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "127.9.9.9", "0.0.0.0"),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "198.18.0.1"),
        *("192.0.2.1", "192.88.99.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1"),
        *("64:ff9b:1::1", "2001:db8::1", "2002:7f00:1::", "2001:0:a00:1::", "3fff::1", "5f00::1"),
    ],
)
def test_places_that_are_not_of_the_internet(text):
    assert not is_public(ip_address(text))
    with pytest.raises(AddressRefused) as refused:
        callable_addresses(["93.184.216.34", text])
    assert refused.value.code == "address-not-public"


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_places_of_the_internet(text):
    assert callable_addresses([text]) == [text]


def test_this_machine_only_where_it_is_allowed():
    assert callable_addresses(["127.0.0.1", "::1"], loopback=True)
    with pytest.raises(AddressRefused):
        callable_addresses(["10.0.0.1"], loopback=True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("http://x.example/a", "address-not-https"),
        ("ftp://x.example/a", "address-not-https"),
        ("file:///etc/passwd", "address-not-https"),
        ("https://", "address-malformed"),
        ("https://me:secret@x.example/", "address-malformed"),
        ("https://x.example:22/", "address-malformed"),
        ("https://x.example:99999/", "address-malformed"),
        ("https://x.example/a\r\nHost: y", "address-malformed"),
        ("https://x.example\\@y.example/", "address-malformed"),
        ("https://[fe80::1%25eth0]/", "address-malformed"),
        ("https://" + "x" * 1000, "address-malformed"),
    ],
)
def test_addresses_that_are_none(text, code):
    with pytest.raises(AddressRefused) as refused:
        parse_address(text)
    assert refused.value.code == code


def test_an_address_in_ascii():
    assert parse_address("https://Bücher.example./仪器.csv?年=1#top") == Target(
        "https", "xn--bcher-kva.example", 443, "/%E4%BB%AA%E5%99%A8.csv?%E5%B9%B4=1"
    )
    assert parse_address("http://[::1]:8000", loopback=True) == Target("http", "::1", 8000, "/")
