"""Without the cache people find instruments, sign in and are held up as before; nothing waits."""

import socket
import time
from uuid import uuid4

from django.core.cache import cache
from django.urls import reverse

from config.web import caches
from tests.factories.cast import PASSWORD


def gone(settings, monkeypatch, address):
    settings.CACHES = {"default": {"BACKEND": "config.web.caches.Cache", "LOCATION": address}}
    settings.SESSION_ENGINE = "config.web.sessions"
    monkeypatch.setattr(caches, "_quiet_until", 0.0)


def test_pages_and_signing_in_go_on(client, cast, settings, monkeypatch):
    gone(settings, monkeypatch, "redis://127.0.0.1:1/0")
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/instruments/").status_code == 200
    wang = cast.people["wang"]
    wang.emailaddress_set.create(email=wang.email, verified=True, primary=True)
    asked = {"login": "wang@fudan.example", "password": PASSWORD}
    assert client.post(reverse("account_login"), asked).status_code == 302
    assert client.get(reverse("bookings:mine")).status_code == 200
    # A session that ends elsewhere ends here.
    session = client.session.session_key
    type(client.session)(session).delete()
    assert client.get(reverse("bookings:mine")).status_code == 302


def test_wrong_passwords_are_counted_all_the_same(client, cast, settings, monkeypatch):
    gone(settings, monkeypatch, "redis://127.0.0.1:1/0")
    wrong = {"login": "zhao@ustc.example", "password": "wrong"}
    for _ in range(5):
        client.post(reverse("account_login"), wrong)
    right = wrong | {"password": PASSWORD}
    assert client.post(reverse("account_login"), right).status_code != 302


def test_a_deaf_one_is_asked_once(settings, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        gone(settings, monkeypatch, f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        began = time.monotonic()
        for n in range(20):
            cache.set("k", n)
            assert cache.get("k") == n
            assert not cache.add("k", 0)
        assert time.monotonic() - began < 2


def test_numbers_are_counted_in_one_round_trip_until_their_window_ends(settings):
    settings.CACHES = {"default": {"BACKEND": "config.web.caches.Cache", "LOCATION": settings.REDIS_URL}}
    one, other = uuid4().hex, uuid4().hex
    assert cache.count({one: 60, other: 1}) == [1, 1]
    assert cache.count({one: 60}) == [2]
    server = cache._cache.get_client(write=True)
    assert server is cache._cache.get_client(write=True)
    assert 0 < server.ttl(cache.make_key(one)) <= 60
    assert 0 < server.pttl(cache.make_key(other)) <= 1000
