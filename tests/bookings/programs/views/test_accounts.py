"""Pages of service accounts."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.domain.roles import By
from accounts.models import ApiToken, ServiceAccount
from bookings.programs.services import accounts
from tests.accounts.pages import page_of, sign_in
from tests.factories.api import Clock, Program
from tests.factories.api import clock as clock
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db
SECRET = re.compile(r'id="(?:token|secret)">\s*([^<\s]+)')


@pytest.fixture
def zhao(cast: Cast, client: Client) -> Client:
    """Zhao, who has just signed in."""
    EmailAddress.objects.create(user=cast.zhao, email=cast.zhao.email, verified=True, primary=True)
    assert sign_in(client, cast.zhao.email).status_code == 302
    return client


def test_from_the_members_to_a_token_that_works(cast: Cast, zhao: Client) -> None:
    listed = f"/organisations/{cast.ustc.pk}/service-accounts/"
    assert listed in page_of(zhao.get(f"/organisations/{cast.ustc.pk}/members/"))
    given = {"name": "LIMS", "purpose": "Reports", "roles": ["manager"], "scopes": ["read"]}
    page = page_of(zhao.post(listed, given | {"roles": ["finance"]}), 400)
    assert not ServiceAccount.objects.exists() and "is-invalid" in page
    zhao.post(listed, given)
    account = ServiceAccount.objects.get()
    assert account.user.name in page_of(zhao.get(listed))
    at = f"/service-accounts/{account.pk}/"
    answer = zhao.post(f"{at}token/", {"label": "machine", "scopes": ["read"]}, follow=True)
    found = SECRET.search(page_of(answer))
    assert found and Program(found[1]).get("webhooks/").status == 200
    assert zhao.get(f"{at}token/made/")["Location"] == at, "it is shown once"
    page = page_of(zhao.get(at))
    assert found[1] not in page and "machine" in page


def test_an_oauth_client_and_a_token_in_place_of_another(cast: Cast, zhao: Client) -> None:
    by = By(cast.actor("zhao"), NOW)
    account = accounts.account_make(
        by, organisation_id=cast.ustc.pk, name="LIMS", purpose="Reports", roles=[], scopes=["read"]
    )
    at = f"/service-accounts/{account.pk}/"
    page = page_of(zhao.post(f"{at}client/", {"label": "ERP", "scopes": ["read"]}, follow=True))
    found = SECRET.search(page)
    assert found and "/oauth/token/" in page
    row, _ = accounts.token_make(by, account_id=account.pk, label="machine", scopes=["read"])
    path = f"/service-account-tokens/{row.pk}/rotate/"
    assert "machine" in page_of(zhao.get(path))
    page = page_of(zhao.post(path, follow=True))
    assert SECRET.search(page) and ApiToken.objects.count() == 2
    page = page_of(zhao.get(at))
    assert "ERP" in page and "works until" in page


def test_who_has_not_confirmed_lately_does_so_first(cast: Cast, zhao: Client, clock: Clock) -> None:
    by = By(cast.actor("zhao"), NOW)
    account = accounts.account_make(
        by, organisation_id=cast.ustc.pk, name="LIMS", purpose="Reports", roles=[], scopes=["read"]
    )
    session = zhao.session
    session["account_authentication_methods"] = [
        one | {"at": one["at"] - timedelta(hours=1).total_seconds()}
        for one in session["account_authentication_methods"]
    ]
    session.save()
    for path in ("token/", "client/"):
        answer = zhao.post(f"/service-accounts/{account.pk}/{path}", {"label": "x", "scopes": ["read"]})
        assert answer["Location"].startswith("/accounts/reauthenticate/"), path
    assert not ApiToken.objects.exists()


def test_the_yearly_question_on_the_page(cast: Cast, zhao: Client, clock: Clock) -> None:
    by = By(cast.actor("zhao"), NOW)
    account = accounts.account_make(
        by, organisation_id=cast.ustc.pk, name="LIMS", purpose="Reports", roles=[], scopes=["read"]
    )
    at = f"/service-accounts/{account.pk}/"
    assert "Still needed" not in page_of(zhao.get(at))
    ServiceAccount.objects.update(asked_at=NOW)
    assert "Still needed" in page_of(zhao.get(at))
    zhao.post(f"{at}confirm/")
    account.refresh_from_db()
    assert account.state == "active"
    zhao.post(f"{at}end/", {"version": account.version})
    page = page_of(zhao.get(at))
    assert "ended for good" in page and "Create a token" not in page
