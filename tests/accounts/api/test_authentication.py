"""Signing in for programs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as NoCache
from rest_framework.throttling import SimpleRateThrottle

from accounts.domain.roles import By
from accounts.models import ApiToken
from accounts.services.tokens import token_issue, token_revoke
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast

type Programs = Callable[..., Program]


def test_a_token_is_its_person(cast: Cast, program: Programs) -> None:
    assert program("wang").get("organisations/?mine=1").body["results"][0]["code"] == "fudan"
    lower = Program()
    token = program("wang").token
    answer = lower.get("organisations/?mine=1", Authorization=f"bearer   {token} ")
    assert answer.status == 200


@pytest.mark.parametrize("given", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer a b", "Bearer é"])
def test_a_token_nobody_made(cast: Cast, program: Programs, given: str) -> None:
    answer = program().get("regions/", Authorization=given)
    assert (answer.status, answer.code) == (401, "bad-token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_expired_revoked_and_closed(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    row = ApiToken.objects.get()
    clock += timedelta(days=366)
    assert wang.get("regions/").code == "bad-token"
    clock.now = NOW
    assert wang.get("regions/").status == 200
    token_revoke(By(cast.actor("wang"), NOW), token_id=row.pk)
    assert wang.get("regions/").code == "bad-token"

    sun = program("sun")
    cast.sun.is_active = False
    cast.sun.save()
    assert sun.get("regions/").code == "bad-token"


def test_a_demonstration_account_opens_only_a_demonstration(
    cast: Cast, program: Programs, settings: Any
) -> None:
    wang = program("wang")
    cast.wang.is_demo = True
    cast.wang.save()
    assert wang.get("regions/").status == 200
    settings.LOCAL_MODE = False
    assert wang.get("regions/").code == "bad-token"


def test_use_is_remembered_every_five_minutes(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    for minutes, used in ((0, 0), (4, 0), (5, 5), (9, 5)):
        clock.now = NOW + timedelta(minutes=minutes)
        wang.get("regions/")
        assert ApiToken.objects.get().last_used_at == NOW + timedelta(minutes=used)


def test_other_ways_of_signing_in_are_nobodys(cast: Cast, program: Programs) -> None:
    assert program().get("regions/", Authorization="Basic d2FuZzp3YW5n").status == 200
    assert program().get("reservations/", Authorization="Basic d2FuZzp3YW5n").status == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "missing"),
    [
        ("read", "GET", "reservations/", None),
        ("read", "POST", "quotes/", None),
        ("read", "POST", "reservations/", "book"),
        ("read", "POST", "facilities/", "manage"),
        ("book", "GET", "reservations/", "read"),
        ("book", "GET", "regions/", "read"),
        ("book", "POST", "reservations/", None),
        ("book", "POST", "instruments/", "manage"),
        ("manage", "POST", "facilities/", None),
        ("manage", "POST", "reservations/", "book"),
        ("manage", "POST", "quotes/", "read"),
    ],
)
def test_scopes(
    cast: Cast, program: Programs, scope: str, method: str, path: str, missing: str | None
) -> None:
    answer = program("wang", scopes=[scope]).send(method, path, {} if method == "POST" else None)
    if missing is None:
        assert answer.status in (200, 400)
    else:
        assert (answer.status, answer.code) == (403, "scope-missing")
        assert answer.body["scope"] == missing


@pytest.mark.parametrize(
    ("act", "scope", "other"),
    [
        ("approve", "manage", "book"),
        ("reject", "manage", "book"),
        ("cancel", "book", "manage"),
        ("check-in", "book", "manage"),
        ("check-out", "book", "manage"),
    ],
)
def test_steps_of_a_reservation_need_what_the_token_page_says(
    cast: Cast, program: Programs, act: str, scope: str, other: str
) -> None:
    path = f"reservations/{cast.wang.pk}/{act}/"
    assert program("zhao", scopes=["read", other]).post(path).body["scope"] == scope
    assert (
        program("zhao", scopes=[scope])
        .post(path, {"reason": "x"} if act in ("cancel", "reject", "approve") else {})
        .status
        == 404
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", ""),
        ("POST", "publish/"),
        ("PUT", "policy/"),
        ("PUT", "opening-hours/"),
        ("POST", "rate-cards/"),
        ("POST", "closures/"),
    ],
)
def test_managing_needs_manage(cast: Cast, program: Programs, method: str, path: str) -> None:
    answer = program("zhao", scopes=["read", "book"]).send(
        method, f"instruments/{cast.microscope.pk}/{path}", {}
    )
    assert (answer.status, answer.body["scope"]) == (403, "manage")


def test_the_browsers_session_with_and_without_its_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.zhao)
    browser = Program(client=client)
    assert browser.get("organisations/?mine=1").status == 200
    given = {"organisation": "ustc", "name": "New", "time_zone": "UTC"}
    refused = browser.post("facilities/", given)
    assert (refused.status, refused.code) == (403, "csrf")
    client.get("/api/v1/docs/")
    token = client.cookies["csrftoken"].value
    assert browser.post("facilities/", given, X_CSRFToken=token).status == 201


def test_somebody_who_may_not_sign_in_any_more_is_nobody(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.wang)
    cast.wang.is_active = False
    cast.wang.save()
    assert Program(client=client).get("reservations/").status == 401


def test_too_many_requests(cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"anon": "2/min", "user": "3/min", "writes": "1/min", "address": "20/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    monkeypatch.setattr(SimpleRateThrottle, "timer", lambda self: seconds)
    seconds = 600.0
    nobody, wang = program(), program("wang")
    assert [nobody.get("regions/").status for _ in range(3)] == [200, 200, 429]
    assert [wang.get("regions/").status for _ in range(4)] == [200, 200, 200, 429]
    answer = wang.get("regions/")
    assert answer.code == "too-many-requests"
    assert answer.headers["Retry-After"] == "60"
    # Somebody else's address, as a client writes it, is not believed.
    assert nobody.get("regions/", X_Forwarded_For="192.0.2.1").status == 429
    # A token that opens nothing is nobody's.
    assert nobody.get("regions/", Authorization="Bearer nonsense").code == "too-many-requests"
    seconds = 655.0
    assert wang.get("regions/").headers["Retry-After"] == "5"
    seconds = 660.0
    assert wang.get("regions/").status == 200
    # What changes something is counted apart.
    assert [wang.delete(f"tokens/{cast.wang.pk}/").status for _ in range(2)] == [404, 429]
    assert wang.get("regions/").status == 429


def test_everybody_behind_one_address(cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"address": "3/min"})
    monkeypatch.setattr(SimpleRateThrottle, "timer", lambda self: 600.0)
    people = [program("wang"), program("sun"), program(), program("hu")]
    assert [one.get("regions/").status for one in people] == [200, 200, 200, 429]


def test_without_a_cache_nobody_is_held_up(
    cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **values: Any) -> int:
        raise NoCache

    monkeypatch.setattr("accounts.api.throttling._count", broken)
    assert program().get("regions/").status == 200


def test_ones_own_tokens(cast: Cast, program: Programs) -> None:
    wang, sun = program("wang"), program("sun")
    reads = program("wang", scopes=["read"])
    rows = reads.get("tokens/").body["results"]
    assert [(row["scopes"], row["current"]) for row in rows] == [
        (["read"], True),
        (["book", "manage", "read", "upload"], False),
    ]
    address = f"tokens/{rows[0]['id']}/"
    assert reads.delete(address).code == "scope-missing"
    assert sun.delete(address).status == 404
    assert wang.delete(address).status == 204
    assert reads.get("tokens/").code == "bad-token"
    assert len(wang.get("tokens/").body["results"]) == 1


def test_the_token_itself_is_nowhere(cast: Cast) -> None:
    row, token = token_issue(user=cast.wang, label="x", lifetime=timedelta(days=1), now=NOW)
    assert token.encode() not in bytes(row.digest)
    assert len(row.digest) == 32
