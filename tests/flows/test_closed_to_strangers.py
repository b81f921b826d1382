"""Where strangers are not admitted, no way in makes them an account."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.adapters.federation import FederationAdapter
from accounts.domain.roles import By
from accounts.models import Invitation, User
from accounts.selectors.installation import KEPT, Site
from accounts.selectors.joining import invitation_token
from accounts.services.invitations import invitation_send, invitation_withdraw
from tests.accounts.pages import mails, page_of
from tests.factories.cast import Cast

NEW = {
    "name": "Nora New",
    "email": "nora@new.example",
    "password1": "horse battery 77",
    "password2": "horse battery 77",
}


@pytest.fixture(autouse=True)
def _closed() -> None:
    cache.clear()
    cache.set(KEPT, Site(admits_strangers=False))


def invite(cast: Cast, **more: Any) -> tuple[Invitation, str]:
    row = invitation_send(
        By(cast.actor("chen"), timezone.now()),
        organisation=cast.fudan,
        email="nora@new.example",
        roles=["researcher"],
        **more,
    )
    return row, f"/invitations/{invitation_token(row.pk, bytes(row.digest))}/"


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/signup/?next=/bookings/"])
def test_the_page_says_so_and_makes_nobody(client: Client, cast: Cast, path: str) -> None:
    people = User.objects.count()
    for answer in (client.get(path), client.post(path, NEW)):
        html = page_of(answer)
        assert "Accounts are by invitation only" in html and "password1" not in html
    assert User.objects.count() == people
    assert "/accounts/signup/" not in page_of(client.get("/accounts/login/"))


def test_an_open_invitation_leads_in_with_its_address_alone(client: Client, cast: Cast) -> None:
    _, path = invite(cast)
    assert 'value="nora@new.example"' in page_of(client.get(f"/accounts/signup/?next={path}"))
    client.post("/accounts/signup/", NEW | {"email": "other@else.example", "next": path})
    assert not User.objects.filter(email="other@else.example").exists()
    assert User.objects.filter(email="nora@new.example").exists()


@pytest.mark.parametrize("state", ["expired", "withdrawn", "used", "unknown", "of-no-manager"])
def test_one_that_is_over_leads_nowhere(client: Client, cast: Cast, state: str) -> None:
    row, path = invite(cast)
    now = timezone.now()
    if state == "expired":
        Invitation.objects.update(expires_at=now - timedelta(seconds=1))
    elif state == "withdrawn":
        invitation_withdraw(By(cast.actor("chen"), now), invitation_id=row.pk)
    elif state == "used":
        Invitation.objects.update(accepted_at=now, accepted_by=cast.people["wang"])
    elif state == "unknown":
        path = "/invitations/of-my-own/"
    else:
        cast.people["chen"].role_grants.update(revoked_at=now)
    people = User.objects.count()
    page_of(client.post("/accounts/signup/", NEW | {"next": path}))
    assert User.objects.count() == people


def test_a_code_a_passkey_or_a_new_password_makes_nobody(client: Client, cast: Cast) -> None:
    people = User.objects.count()
    client.post("/accounts/login/code/", {"email": "nora@new.example"})
    client.post("/accounts/password/reset/", {"email": "nora@new.example"})
    assert User.objects.count() == people
    with pytest.raises(NoReverseMatch):
        reverse("account_signup_by_passkey")
    sent = mails()
    assert {mail.to[0] for mail in sent} == {"nora@new.example"}
    for mail in sent:
        assert "by invitation only" in mail.body and "/accounts/signup/" not in mail.body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("provider", "scopes", "is_open"),
    [
        ("orcid", [], False),
        ("openid_connect", [], False),
        ("openid_connect", ["uni.example"], True),
        ("saml", ["uni.example"], True),
    ],
)
def test_an_institution_vouches_for_its_own(
    rf: RequestFactory, provider: str, scopes: list[str], is_open: bool
) -> None:
    SocialApp.objects.create(
        provider=provider,
        provider_id="" if provider == "orcid" else "uni",
        name="Uni",
        client_id="uni",
        settings={"scopes": scopes, "server_url": "https://uni.example"},
    )
    request = rf.get("/")
    name = "orcid" if provider == "orcid" else "uni"
    login = SocialLogin(account=SocialAccount(provider=name, uid="x"))
    adapter = FederationAdapter(request)
    login.provider = adapter.get_provider(request, name)
    assert adapter.is_open_for_signup(request, login) is is_open
    cache.set(KEPT, Site())
    assert adapter.is_open_for_signup(request, login) is True
