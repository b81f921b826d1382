"""`GET me/`: who the request is for."""

from datetime import timedelta
from uuid import UUID

import pytest

from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, RoleGrant, TrailEntry
from accounts.services.memberships import membership_end, membership_start
from accounts.services.tokens import token_issue
from tests.factories import api as programs
from tests.factories.cast import NOW

program = programs.program  # a fixture
NOBODY_ID = UUID(int=7)


def wish(cast):
    return {
        "instrument": str(cast.microscope.pk),
        "start": "2026-03-06T14:00:00+08:00",
        "end": "2026-03-06T15:00:00+08:00",
        "service_mode": "self",
    }


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def test_a_person_with_places_roles_and_the_token(client, cast):
    chen = cast.people["chen"]
    token, secret = token_issue(
        user=chen, label="x", lifetime=timedelta(days=2), scopes=["read", "book"], now=NOW
    )
    answer = client.get("/api/v1/me/", headers={"authorization": f"Bearer {secret}"}).json()
    membership, grant = Membership.objects.get(user=chen), RoleGrant.objects.get(user=chen)
    assert {key: answer[key] for key in ("id", "name", "email", "language", "time_zone")} == {
        "id": str(chen.pk),
        "name": "Chen Jing",
        "email": "chen@fudan.example",
        "language": "en",
        "time_zone": "Asia/Shanghai",
    }
    (shown,) = answer["memberships"]
    assert (shown["id"], shown["organisation"]) == (str(membership.pk), "fudan")
    assert [role["role"] for role in shown["roles"]] == ["manager"]
    assert [role["id"] for role in answer["roles"]] == [str(grant.pk)]
    assert answer["token"] == {
        "id": str(token.pk),
        "scopes": ["book", "read"],
        "expires_at": "2026-03-07T04:00:00Z",
    }


def test_nobody_elses_places_and_none_that_ended(client, cast):
    admin = cast.people["admin"]
    client.force_login(admin)
    answer = client.get("/api/v1/me/").json()
    assert (answer["memberships"], answer["token"]) == ([], None)
    assert [(r["role"], r["organisation"], r["region"]) for r in answer["roles"]] == [
        ("administrator", None, None)
    ]
    RoleGrant.objects.filter(user=admin).update(revoked_at=NOW)
    assert client.get("/api/v1/me/").json()["roles"] == []
    client.logout()
    assert client.get("/api/v1/me/").status_code == 401


@pytest.fixture
def two(cast):
    """Wang is a member of Fudan and of USTC."""
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    return cast


def test_the_default_organisation_is_taken_where_none_is_named(two, program):
    wang = program("wang")
    asked = wish(two)
    refused = wang.post("holds/", asked)
    assert refused.problems == [("organisation", "organisation-needed")]
    assert refused.body["errors"][0]["choices"] == ["fudan", "ustc"]
    assert "fudan, ustc" in refused.body["errors"][0]["message"]
    assert wang.get("me/").body["organisation"] is None
    assert wang.patch("me/", {"organisation": "fudan"}).body["organisation"] == "fudan"
    assert wang.patch("me/", {}).body["organisation"] == "fudan"
    booked = wang.post("reservations/", asked | {"purpose": {"code": "research"}})
    assert (booked.status, booked.body["organisation"]) == (201, "fudan")
    assert wang.get("instruments/").body["organisation"] == "fudan"
    # Another one is named, or chosen; the trail has each change.
    assert wang.get("instruments/?organisation=ustc").body["organisation"] == "ustc"
    assert wang.patch("me/", {"organisation": str(two.ustc.pk)}).body["organisation"] == "ustc"
    assert wang.patch("me/", {"organisation": "ustc"}).status == 200
    assert wang.get("instruments/").body["organisation"] == "ustc"
    assert wang.patch("me/", {"organisation": None}).body["organisation"] is None
    changes = TrailEntry.objects.filter(action="user.update").order_by("pk")
    assert [entry.after["organisation"] for entry in changes] == ["fudan", "ustc", ""]


def test_a_default_is_one_of_ones_own_and_ends_with_the_membership(two, program):
    wang = program("wang")
    for other in ("sjtu", "nowhere", str(NOBODY_ID), "\0"):
        refused = wang.patch("me/", {"organisation": other})
        assert refused.status == 400 and wang.get("me/").body["organisation"] is None
    assert wang.patch("me/", {"organisation": "ustc"}).status == 200
    ended = Membership.objects.get(user=two.wang, organisation=two.ustc)
    membership_end(By(two.actor("wang"), NOW), membership_id=ended.pk, reason="")
    assert wang.get("me/").body["organisation"] is None
    membership_start(By(PLATFORM, NOW), user=two.wang, organisation=two.ustc)
    assert wang.get("me/").body["organisation"] is None
    assert wang.post("holds/", wish(two)).problems == [("organisation", "organisation-needed")]
    assert program().send("PATCH", "me/", {"organisation": None}).status == 401
