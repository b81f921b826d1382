"""Calling addresses, tried against a server that means no good."""

import gzip
import socket
import time

import pytest

from accounts.adapters import calling
from accounts.adapters.calling import Limits, call
from accounts.domain.addresses import AddressRefused
from tests.factories.tls import untrusted
from tests.factories.web import Web

QUICK = Limits(connect=1, total=0.6, size=20_000)


@pytest.fixture(scope="module")
def web():
    with Web() as served:
        yield served


def refused(address, code, **options):
    with pytest.raises(AddressRefused) as found:
        call(address, **{"loopback": True, "limits": QUICK} | options)
    assert found.value.code == code


def test_an_answer_with_its_headers(web):
    web.answers["/a?b=1"] = (200, {"ETag": '"1"'}, b"id,name\n")
    answer = call(web.at("/a?b=1"), loopback=True, headers={"If-None-Match": '"0"'})
    assert (answer.status, answer.headers["etag"], answer.body.read()) == (200, '"1"', b"id,name\n")
    assert web.asked[-1]["If-None-Match"] == '"0"'
    assert "Cookie" not in web.asked[-1]


def test_what_is_too_large_is_left_whether_or_not_it_says_so(web):
    web.answers["/large"] = (200, {}, b"x" * 20_001)
    web.answers["/silent"] = (200, {"Content-Length": None}, b"x" * 20_001)
    web.answers["/chunked"] = (200, {"Transfer-Encoding": "chunked"}, b"x" * 20_001)
    for path in ("/large", "/silent", "/chunked"):
        refused(web.at(path), "answer-too-large")
    web.answers["/fits"] = (200, {"Transfer-Encoding": "chunked"}, b"x" * 20_000)
    assert call(web.at("/fits"), loopback=True, limits=QUICK).size == 20_000


def test_a_bomb_is_not_unpacked(web):
    web.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 10_000_000))
    refused(web.at("/bomb"), "answer-too-large")
    web.answers["/packed"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 20_000))
    assert call(web.at("/packed"), loopback=True, limits=QUICK).size == 20_000
    parts = gzip.compress(b"0" * 9_000) + gzip.compress(b"1" * 9_000) + bytes(9)
    web.answers["/parts"] = (200, {"Content-Encoding": "gzip"}, parts)
    assert call(web.at("/parts"), loopback=True, limits=QUICK).size == 18_000
    web.answers["/parts"] = (200, {"Content-Encoding": "gzip"}, parts * 2)
    refused(web.at("/parts"), "answer-too-large")
    web.answers["/parts"] = (200, {"Content-Encoding": "gzip"}, parts + b"junk")
    refused(web.at("/parts"), "answer-broken")
    web.answers["/other"] = (200, {"Content-Encoding": "br"}, b"0")
    refused(web.at("/other"), "answer-encoded")


def test_what_unpacks_to_nothing_has_an_end_too(web):
    """Empty parts one behind the other add nothing to what is kept, and each takes its time."""
    parts = gzip.compress(b"") * 1_001  # 20 bytes each
    web.answers["/nothing"] = (200, {"Content-Encoding": "gzip", "Content-Length": None}, parts)
    refused(web.at("/nothing"), "answer-too-large")
    web.answers["/nothing"] = (200, {"Content-Encoding": "gzip"}, parts[:20_000])
    assert call(web.at("/nothing"), loopback=True, limits=QUICK).size == 0


@pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
def test_drops_do_not_hold_a_worker(web, path):
    started = time.monotonic()
    refused(web.at(path), "too-slow")
    assert time.monotonic() - started < 1.5


def test_what_ends_too_early_is_not_taken(web):
    web.answers["/cut"] = (200, {"Content-Length": "500"}, b"id,name\n")
    refused(web.at("/cut"), "answer-broken")


def test_redirects_are_followed_thrice_and_checked_each_time(web):
    web.answers["/1"] = (302, {"Location": "/2"}, b"")
    web.answers["/2"] = (301, {"Location": web.at("/3")}, b"")
    web.answers["/3"] = (307, {"Location": "/4"}, b"")
    web.answers["/4"] = (200, {}, b"here")
    assert call(web.at("/1"), loopback=True).body.read() == b"here"
    web.answers["/0"] = (302, {"Location": "/1"}, b"")
    refused(web.at("/0"), "too-many-redirects")
    for elsewhere, code in (
        ("http://169.254.169.254/latest/meta-data/", "address-not-public"),
        ("http://[::ffff:10.0.0.1]/", "address-not-public"),
        ("http://2130706433.example.invalid/", "host-unknown"),
        ("file:///etc/passwd", "address-not-https"),
    ):
        web.answers["/away"] = (302, {"Location": elsewhere}, b"")
        refused(web.at("/away"), code)


def test_a_redirect_to_no_address_is_a_refusal(web):
    for where in ("https://[", "https://[::1", "http://a:99999999/"):
        web.answers["/lost"] = (302, {"Location": where}, b"")
        refused(web.at("/lost"), "address-malformed")


def test_what_is_told_goes_to_no_other_host(web):
    with Web() as other:
        web.answers["/hook"] = (307, {"Location": other.at("/taken")}, b"")
        refused(web.at("/hook"), "sent-elsewhere", method="POST", body=b"secret")
        assert not other.asked
        web.answers["/hook"] = (307, {"Location": "/moved"}, b"")
        web.answers["/moved"] = (204, {}, b"")
        answer = call(web.at("/hook"), loopback=True, method="POST", body=b"secret")
        assert (answer.status, answer.address) == (204, web.at("/moved"))


def test_names_for_this_machine_are_not_called(web):
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"):
        refused(f"https://{host}:{web.port}/", "address-not-public", loopback=False)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name that leads somewhere public when it is checked, and here afterwards."""
    asked, connected = [], []

    def rebinding(host, port):
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    refused("https://rebinding.example/", "unreachable", loopback=False, resolve=rebinding)
    assert (asked, connected) == (["rebinding.example"], [("93.184.216.34", 443)])
    refused("https://rebinding.example/", "address-not-public", loopback=False, resolve=rebinding)
    assert len(connected) == 1


def test_a_name_is_asked_once(web):
    web.answers["/a"] = (200, {}, b"here")
    found = iter([["127.0.0.1"], ["10.0.0.1"]])
    address = f"http://register.example:{web.port}/a"
    answer = call(address, loopback=True, resolve=lambda host, port: next(found))
    assert answer.body.read() == b"here" and next(found) == ["10.0.0.1"]
    assert web.asked[-1]["Host"] == f"register.example:{web.port}"


def test_a_certificate_must_be_of_the_name(tmp_path):
    """Nothing is sent to who cannot show that he is whom we called."""
    with untrusted(tmp_path) as port:
        for host in ("127.0.0.1", "localhost"):
            refused(f"https://{host}:{port}/", "bad-certificate", limits=Limits(total=5))


def test_nobody_is_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused(f"http://127.0.0.1:{unused.getsockname()[1]}/", "unreachable")
    assert calling.resolve("no-such-name.invalid", 443) == []
