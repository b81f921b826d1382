"""Certificates through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import TrailEntry
from instruments.training.models import Qualification
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast
from tests.factories.qualifications import certify, withdraw

type Programs = Callable[..., Program]


def test_granted_read_and_revoked(cast: Cast, program: Programs) -> None:
    zhao = program("zhao")
    made = zhao.post(
        "qualifications/",
        {
            "user": "WANG@fudan.example",
            "instrument": str(cast.microscope.pk),
            "valid_until": "2028-03-04",
            "note": "Introduction",
        },
    )
    assert made.status == 201
    person = {"id": str(cast.wang.pk), "name": "Wang Li"}
    manager = {"id": str(cast.zhao.pk), "name": "Zhao Min"}
    expected = {
        "id": made.body["id"],
        "user": person,
        "instrument": str(cast.microscope.pk),
        "technique": None,
        "issuer": "ustc",
        "valid_from": "2026-03-05",
        "valid_until": "2028-03-04",
        "state": "valid",
        "replaced_by": None,
        "note": "Introduction",
        "granted_by": manager,
        "granted_at": "2026-03-05T04:00:00Z",
        "revoked_by": None,
        "revoked_at": None,
        "reason": None,
        "version": 1,
    }
    assert made.body == expected
    here = made.headers["Location"]
    got = program("wang").get(here)
    assert (got.status, got.body, got.headers["ETag"]) == (200, expected, '"1"')
    assert zhao.post(f"{here}revoke/", {"reason": "Left"}, If_Match='"2"').status == 412
    gone = zhao.post(f"{here}revoke/", {"reason": "Left"}, If_Match='"1"')
    assert (gone.status, gone.headers["ETag"]) == (200, '"2"')
    assert gone.body == expected | {
        "state": "revoked",
        "revoked_by": manager,
        "revoked_at": "2026-03-05T04:00:00Z",
        "reason": "Left",
        "version": 2,
    }
    again = zhao.post(f"{here}revoke/", {"reason": "Left"})
    assert (again.status, again.code) == (409, "wrong-state")


def test_today_is_the_day_of_the_place(cast: Cast, program: Programs, clock: Clock) -> None:
    zhao = program("zhao")
    clock += timedelta(hours=13)  # the 6th in China, the 5th in UTC
    made = zhao.post(
        "qualifications/", {"user": str(cast.wang.pk), "technique": "PaNET01198", "issuer": "ustc"}
    )
    assert (made.body["valid_from"], made.body["technique"]) == ("2026-03-06", "PaNET01198")


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"user": None}, [("user", "required")]),
        ({"user": "nobody@fudan.example"}, [("user", "unknown-person")]),
        ({"user": 5}, [("user", "not-a-text")]),
        ({"instrument": "no"}, [("instrument", "not-an-id")]),
        ({"instrument": None}, [("instrument", "instrument-or-technique")]),
        ({"instrument": "01920000-0000-7000-8000-000000000000"}, [("instrument", "unknown-value")]),
        ({"technique": "PaNET01198"}, [("instrument", "instrument-or-technique")]),
        ({"instrument": None, "technique": "nothing", "issuer": "ustc"}, [("technique", "unknown-value")]),
        ({"instrument": None, "technique": "PaNET01198"}, [("issuer", "required")]),
        ({"issuer": "nowhere"}, [("issuer", "unknown-value")]),
        ({"valid_from": "0001-01-01"}, [("valid_from", "out-of-range")]),
        ({"valid_until": "2026-02-30"}, [("valid_until", "not-a-date")]),
        ({"valid_until": "2026-03-04"}, [("valid_until", "before-valid-from")]),
        ({"note": "x" * 501}, [("note", "too-long")]),
        ({"level": 3}, [("level", "unknown-field")]),
    ],
)
def test_of_a_wrong_shape(
    cast: Cast, program: Programs, changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    zhao = program("zhao")
    entries = TrailEntry.objects.count()
    body = {"user": "wang@fudan.example", "instrument": str(cast.microscope.pk)} | changes
    answer = zhao.post("qualifications/", body)
    assert (answer.status, answer.problems) == (400, problems)
    assert (Qualification.objects.count(), TrailEntry.objects.count()) == (0, entries)


def test_refusals(cast: Cast, program: Programs) -> None:
    body = {"user": "wang@fudan.example", "instrument": str(cast.microscope.pk)}
    zhao = program("zhao")
    own = zhao.post("qualifications/", body | {"user": "zhao@ustc.example"})
    assert (own.status, own.code) == (409, "no-second-manager")
    # A stranger learns nothing of who has an account.
    for user in ("wang@fudan.example", "nobody@fudan.example"):
        answer = program("sun").post("qualifications/", body | {"user": user})
        assert (answer.status, answer.code) == (403, "not-permitted")
    foreign = program("chen").post("qualifications/", body | {"issuer": "fudan"})
    assert foreign.problems == [("issuer", "not-the-host")]
    assert program().post("qualifications/", body).status == 401
    assert Qualification.objects.count() == 0
    assert zhao.post("qualifications/", body, Idempotency_Key="1").status == 201
    assert zhao.post("qualifications/", body, Idempotency_Key="1").status == 201
    twice = zhao.post("qualifications/", body)
    assert (twice.status, twice.code) == (409, "already-qualified")
    assert Qualification.objects.count() == 1
    here = f"qualifications/{Qualification.objects.get().pk}/revoke/"
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert zhao.post(here, reason).problems == [("reason", "required")]


def test_lists(cast: Cast, program: Programs) -> None:
    rows = [
        certify(cast, cast.microscope, until="2026-02-01", now=NOW - timedelta(days=3)),
        certify(cast, cast.technique, now=NOW - timedelta(days=2)),
        certify(cast, cast.microscope, "sun", now=NOW - timedelta(days=1)),
    ]
    rows.append(withdraw(cast, certify(cast, cast.microscope, "hu")))
    ids = [str(row.pk) for row in rows]
    zhao = program("zhao")
    assert zhao.get("qualifications/").ids == ids[::-1]
    assert program("wang").get("qualifications/").ids == [ids[1], ids[0]]
    for query, found in (
        ("user=sun@ustc.example", [ids[2]]),
        (f"user={cast.wang.pk}", [ids[1], ids[0]]),
        ("user=nobody", []),
        (f"instrument={cast.microscope.pk}", [ids[3], ids[2], ids[0]]),
        ("technique=PaNET01198", [ids[1]]),
        ("valid_on=2026-03-05", [ids[2], ids[1]]),
        ("valid_on=2026-02-01&user=wang@fudan.example", [ids[1], ids[0]]),
    ):
        assert zhao.get(f"qualifications/?{query}").ids == found, query
    assert zhao.get("qualifications/?valid_on=soon").problems == [("valid_on", "not-a-date")]
    assert [len(page) for page in zhao.pages("qualifications/?limit=3")] == [3, 1, 3]
    states = [row["state"] for row in zhao.get("qualifications/").body["results"]]
    assert states == ["revoked", "valid", "valid", "expired"]


def test_statements_do_not_grow(cast: Cast, program: Programs, django_assert_max_num_queries: Any) -> None:
    zhao = program("zhao")
    certify(cast, cast.microscope)
    zhao.get("qualifications/")
    with django_assert_max_num_queries(6) as one:
        zhao.get("qualifications/")
    for who in ("sun", "hu", "alice"):
        certify(cast, cast.technique, who)
    with django_assert_max_num_queries(len(one)):
        zhao.get("qualifications/")
