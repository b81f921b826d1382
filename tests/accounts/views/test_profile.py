"""A person's own page and their API tokens."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import ApiToken, TrailEntry, User
from accounts.permissions import actor_of
from accounts.selectors.memberships import organisations_of
from accounts.selectors.secrets import digest_of
from accounts.services.memberships import membership_start
from accounts.services.tokens import token_issue
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, PASSWORD, Cast

SAVED = {"name": "Wang Li", "language": "en", "time_zone": "Europe/London"}
TOKEN = {"label": "my script", "days": "30", "scopes": ["read", "book"]}


def test_nobody_has_no_profile(client: Client, db: None) -> None:
    response = client.get("/profile/")
    assert response["Location"] == "/accounts/login/?next=/profile/"


def test_the_profile_shows_places_and_roles(signed_in: Client) -> None:
    html = page_of(signed_in.get("/profile/"))
    assert "Fudan University" in html and "Shanghai" in html
    assert ">member</span>" in html and ">researcher</span>" in html
    assert '<option value="Asia/Shanghai">Beijing time<' in html and '<option value="UTC">' in html


@pytest.mark.parametrize(
    ("who", "text"), [("auditor", "region, including the regions within it"), ("admin", "The whole platform")]
)
def test_roles_of_regions_and_of_the_platform(client: Client, cast: Cast, who: str, text: str) -> None:
    client.force_login(cast.people[who])
    assert text in page_of(client.get("/profile/"))


def test_somebody_without_a_place_is_told_what_to_do(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["alice"])
    assert "You belong to no organisation yet." in page_of(client.get("/profile/"))


def test_a_name_stays_on_one_line_and_turns_nothing(signed_in: Client, wang: User) -> None:
    name = "Wang\r\nBcc: x.y.z \u202eiL\u2069"
    signed_in.post("/profile/", {"name": name, "language": "en", "time_zone": "UTC"})
    wang.refresh_from_db()
    assert wang.name == "Wang Bcc: x.y.z iL"


def test_saving_the_profile(signed_in: Client, wang: User) -> None:
    response = signed_in.post("/profile/", SAVED | {"language": "zh-hans"})
    assert response["Location"] == "/profile/"
    assert response.cookies["django_language"].value == "zh-hans"
    wang.refresh_from_db()
    assert (wang.name, wang.language, wang.time_zone) == ("Wang Li", "zh-hans", "Europe/London")
    entry = TrailEntry.objects.filter(object_id=wang.pk).latest("at")
    assert entry.action == "user.update"
    assert entry.before == {"language": "en", "time_zone": "Asia/Shanghai"}
    assert entry.after == {"language": "zh-hans", "time_zone": "Europe/London"}
    assert entry.actor_id == wang.pk


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "asia/shanghai"])
def test_a_zone_that_is_none_is_refused_and_kept(signed_in: Client, wang: User, zone: str) -> None:
    html = page_of(signed_in.post("/profile/", SAVED | {"time_zone": zone, "name": "Li"}), 400)
    assert f'value="{zone}"' in html and 'value="Li"' in html
    assert "There is no such time zone." in html and 'aria-invalid="true"' in html
    wang.refresh_from_db()
    assert (wang.name, wang.time_zone) == ("Wang Li", "Asia/Shanghai")


@pytest.mark.parametrize("change", [{"name": " "}, {"name": "x" * 151}, {"language": "fr"}])
def test_other_wrong_input(signed_in: Client, wang: User, change: dict[str, str]) -> None:
    page_of(signed_in.post("/profile/", SAVED | change), 400)
    wang.refresh_from_db()
    assert wang.time_zone == "Asia/Shanghai"


def test_a_name_with_markup_is_shown_as_text(signed_in: Client) -> None:
    signed_in.post("/profile/", SAVED | {"name": '<script>alert("x")</script>'})
    assert "<script>alert" not in page_of(signed_in.get("/profile/"))


# Tokens


def test_a_token_is_made_and_shown_once(signed_in: Client, wang: User) -> None:
    page_of(signed_in.get("/profile/tokens/"))
    made = signed_in.post("/profile/tokens/", TOKEN)
    assert made["Location"] == "/profile/tokens/made/"
    assert signed_in.head(made["Location"])["Location"] == "/profile/tokens/"
    response = signed_in.get(made["Location"])
    html = page_of(response)
    assert "no-store" in response["Cache-Control"]
    assert "/api/v1/reservations/<" in html
    shown = re.search(r'id="token">(ic_[\w-]{43})<', html)
    assert shown and 'data-copy="token"' in html
    # Loaded again it shows nothing and makes nothing; the session has forgotten it.
    assert signed_in.get(made["Location"])["Location"] == "/profile/"
    assert shown.group(1) not in str(dict(signed_in.session))
    row = ApiToken.objects.get()
    assert bytes(row.digest) == digest_of(shown.group(1))
    assert (row.user_id, row.label, row.scopes) == (wang.pk, "my script", ["book", "read"])
    assert row.expires_at - row.created_at == timedelta(days=30)
    html = page_of(signed_in.get("/profile/"))
    assert "my script" in html and "never used" in html and shown.group(1) not in html
    assert TrailEntry.objects.filter(action="token.issue", object_id=row.pk).count() == 1


@pytest.mark.parametrize(
    "change", [{"label": ""}, {"label": "x" * 61}, {"days": "9999"}, {"scopes": ["all"]}, {"scopes": []}]
)
def test_a_token_of_the_wrong_shape(signed_in: Client, change: dict[str, Any]) -> None:
    page_of(signed_in.post("/profile/tokens/", TOKEN | change), 400)
    assert not ApiToken.objects.exists()


def test_a_sign_in_long_ago_is_confirmed_first(signed_in: Client) -> None:
    session = signed_in.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()
    response = signed_in.post("/profile/tokens/", TOKEN)
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()
    page_of(signed_in.get(response["Location"]))
    page_of(signed_in.post(response["Location"], {"password": "wrong"}))
    assert not ApiToken.objects.exists()
    # What was asked for is then carried out, without typing it again.
    html = page_of(
        signed_in.post(
            "/accounts/reauthenticate/", {"password": PASSWORD, "next": "/profile/tokens/"}, follow=True
        )
    )
    assert 'id="token">ic_' in html and ApiToken.objects.get().label == "my script"


def test_a_session_that_never_signed_in_by_hand_confirms_too(client: Client, wang: User) -> None:
    client.force_login(wang)
    response = client.get("/profile/tokens/")
    assert response["Location"].startswith("/accounts/reauthenticate/")


def test_revoking_a_token(signed_in: Client, wang: User) -> None:
    token, _ = token_issue(user=wang, label="old", lifetime=timedelta(days=1), now=timezone.now())
    html = page_of(signed_in.get("/profile/"))
    assert "Revoke “old”?" in html
    assert signed_in.get(f"/profile/tokens/{token.pk}/revoke/")["Location"] == "/profile/"
    response = signed_in.post(f"/profile/tokens/{token.pk}/revoke/")
    assert response["Location"] == "/profile/"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "Revoke “old”?" not in page_of(signed_in.get("/profile/"))
    assert TrailEntry.objects.filter(action="token.revoke", object_id=token.pk).count() == 1


def test_somebody_elses_token_is_not_to_be_found(signed_in: Client, cast: Cast) -> None:
    token, _ = token_issue(
        user=cast.people["sun"], label="his", lifetime=timedelta(days=1), now=timezone.now()
    )
    assert "his" not in re.findall(r"<strong>(.*?)</strong>", page_of(signed_in.get("/profile/")))
    page_of(signed_in.post(f"/profile/tokens/{token.pk}/revoke/"), 404)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_profile_asks_the_database_as_often_for_many_tokens(signed_in: Client, wang: User) -> None:
    counts = []
    signed_in.get("/profile/")  # what waits is counted once a minute
    for number in (1, 3):
        while ApiToken.objects.count() < number:
            token_issue(user=wang, label="t", lifetime=timedelta(days=1), now=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            page_of(signed_in.get("/profile/"))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 12


def test_a_default_organisation_is_chosen_of_several(client: Client, cast: Cast) -> None:
    client.force_login(cast.wang)
    assert "Default organisation" not in page_of(client.get("/profile/"))
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    assert '<option value="" selected>' in page_of(client.get("/profile/"))
    assert client.post("/profile/", SAVED | {"organisation": "ustc"}).status_code == 302
    assert '<option value="ustc" selected>' in page_of(client.get("/profile/"))
    assert actor_of(User.objects.get(pk=cast.wang.pk)).default == cast.ustc.pk
    wrong = client.post("/profile/", SAVED | {"organisation": "sjtu"})
    assert wrong.status_code in {200, 400}
    assert actor_of(User.objects.get(pk=cast.wang.pk)).default == cast.ustc.pk
    # Pages offer it first.
    assert organisations_of(actor_of(User.objects.get(pk=cast.wang.pk))).first() == cast.ustc
