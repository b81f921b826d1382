"""`GET me/`: who the request is for."""

from datetime import timedelta

import pytest

from accounts.models import Membership, RoleGrant
from accounts.services.tokens import token_issue
from tests.factories.cast import NOW


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
