"""The page of an invitation, and signing up from it."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import Invitation, Membership, RoleGrant, User
from accounts.selectors.joining import invitation_token
from accounts.services.invitations import invitation_send
from accounts.services.memberships import role_grant
from tests.accounts.pages import mails, page_of, sign_in
from tests.factories.cast import Cast

NEW = {
    "name": "Nora New",
    "email": "mallory@elsewhere.example",
    "password1": "horse battery 77",
    "password2": "horse battery 77",
}


def invite(cast: Cast, email: str = "nora@new.example", **more: Any) -> tuple[Invitation, str]:
    """An invitation of Fudan's manager, and the path that its mail has."""
    row = invitation_send(
        By(cast.actor("chen"), timezone.now()),
        organisation=cast.fudan,
        email=email,
        roles=["researcher", "finance"],
        **more,
    )
    return row, f"/invitations/{invitation_token(row.pk, bytes(row.digest))}/"


def test_it_says_who_invites_whom_to_what_before_anybody_signs_in(client: Client, cast: Cast) -> None:
    _, path = invite(cast)
    html = page_of(client.get(path))
    for text in (f"{cast.chen} · Fudan University", "nora@new.example", "researcher", "finance"):
        assert text in html
    assert f'href="/accounts/signup/?next={path}"' in html
    assert client.post(path)["Location"] == f"/accounts/login/?next={path}"
    text = str(mails()[-1].body)
    assert f"Invited by: {cast.chen}, Fudan University\nRole: researcher, finance\n" in text


def test_who_has_an_account_is_led_to_sign_in(client: Client, cast: Cast) -> None:
    _, path = invite(cast, "alice@nowhere.example")
    html = page_of(client.get(path))
    assert "Sign in to accept" in html and "/accounts/signup/?next" not in html


def test_signing_up_from_it_confirms_its_address_and_accepts_it(client: Client, cast: Cast) -> None:
    row, path = invite(cast)
    html = page_of(client.get(f"/accounts/signup/?next={path}"))
    assert 'value="nora@new.example"' in html and "disabled" in html
    count = len(mails())
    answer = client.post("/accounts/signup/", NEW | {"next": path})
    assert answer["Location"] == path
    nora = User.objects.get(email="nora@new.example")
    assert not User.objects.filter(email=NEW["email"]).exists()
    addresses = EmailAddress.objects.filter(user=nora).values_list("email", "verified", "primary")
    assert list(addresses) == [("nora@new.example", True, True)]
    assert len(mails()) == count, "no second mail"
    row.refresh_from_db()
    assert row.accepted_by == nora
    assert Membership.objects.get(user=nora).organisation == cast.fudan
    page = client.get(path, follow=True)
    assert page.redirect_chain == [("/organisations/", 302)]
    assert "You are a member now." in page_of(page)
    # They have just chosen a password: nobody asks for it again before their second factor.
    page_of(client.get("/accounts/2fa/totp/activate/"))


@pytest.mark.parametrize("state", ["expired", "withdrawn", "used", "unknown"])
def test_signing_up_from_one_that_is_over_confirms_nothing(client: Client, cast: Cast, state: str) -> None:
    row, path = invite(cast)
    now = timezone.now()
    change: dict[str, Any] = {
        "expired": {"expires_at": now},
        "withdrawn": {"withdrawn_at": now},
        "used": {"accepted_at": now, "accepted_by": cast.people["sun"]},
        "unknown": {"digest": b"x" * 32},
    }[state]
    Invitation.objects.filter(pk=row.pk).update(**change)
    client.post("/accounts/signup/", NEW | {"next": path})
    assert not EmailAddress.objects.filter(verified=True, email=NEW["email"]).exists()
    assert not EmailAddress.objects.filter(email="nora@new.example").exists()
    assert "_auth_user_id" not in client.session and not Membership.objects.filter(user__email=NEW["email"])


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("expired", "This invitation has expired."),
        ("withdrawn", "This invitation was withdrawn."),
        ("no longer a manager", "This invitation was withdrawn."),
        ("used", "This invitation has already been used."),
    ],
)
@pytest.mark.parametrize("who", ["stranger", "invited"])
def test_one_that_is_over_says_so_and_what_to_do(
    client: Client, cast: Cast, state: str, text: str, who: str
) -> None:
    alice = cast.people["alice"]
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    row, path = invite(cast, alice.email if who == "invited" else "nora@new.example")
    now = timezone.now()
    if state == "no longer a manager":
        role_grant(By(PLATFORM, now), user=cast.lin, role="manager", organisation=cast.fudan)
        cast.chen.role_grants.update(revoked_at=now)
    else:
        change: dict[str, Any] = {
            "expired": {"expires_at": now},
            "withdrawn": {"withdrawn_at": now},
            "used": {"accepted_at": now, "accepted_by": cast.people["sun"]},
        }[state]
        Invitation.objects.filter(pk=row.pk).update(**change)
    if who == "invited":
        sign_in(client, alice.email)
    html = page_of(client.get(path), 409)
    assert text in html and f"ask {cast.chen} for a new invitation" in html
    assert "Accept the invitation" not in html and "accounts/signup/" not in html


def test_somebody_else_reads_for_whom_it_is_and_signs_out(client: Client, cast: Cast, wang: User) -> None:
    _, path = invite(cast, lifetime=timedelta(days=3))
    sign_in(client, wang.email)
    html = page_of(client.get(path), 403)
    assert "nora@new.example" in html and f"You are signed in as {wang.email}." in html
    answer = client.post("/accounts/logout/", {"next": path})
    assert answer["Location"] == path
    assert "Create an account and accept" in page_of(client.get(path))


def test_taking_a_role_without_a_reason_says_what_is_missing(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["chen"])
    grant = RoleGrant.objects.get(user=cast.people["wang"], role="researcher", organisation=cast.fudan)
    address = f"/people/roles/{grant.pk}/take/"
    assert "Enter a reason." in page_of(client.post(address, {"reason": " "}), 400)
    assert client.post(address, {"reason": "left"}).status_code == 302


def test_the_region_of_a_role_is_chosen_by_its_name(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["admin"])
    page = reverse("accounts:roles")
    assert '<option value="CN-SH">Shanghai</option>' in page_of(client.get(page))
    given = {"user": cast.people["alice"].email, "role": "auditor", "region": "CN-SH"}
    assert client.post(page, given | {"region": "CN-XX"}).status_code == 400
    assert client.post(page, given).status_code == 302
    assert RoleGrant.objects.get(role="auditor", user=cast.people["alice"]).region == cast.shanghai
