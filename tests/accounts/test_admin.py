"""The administration pages: for looking only, and behind the platform's own sign-in."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from accounts.models import User
from tests.accounts.pages import sign_in
from tests.factories.cast import Cast

MODELS = list(admin.site._registry)


@pytest.fixture
def staff(client: Client, cast: Cast) -> Client:
    User.objects.filter(pk=cast.people["admin"].pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=cast.people["admin"].pk))
    return client


def test_our_three_apps_are_there_and_nothing_else() -> None:
    assert {model._meta.app_label for model in MODELS} == {"accounts", "instruments", "bookings"}
    assert apps.get_model("accounts", "TrailEntry") in MODELS


def test_they_show_and_change_nothing(staff: Client) -> None:
    for model in MODELS:
        place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert "Times are in Asia/Shanghai" in staff.get(place).content.decode(), place
        assert staff.get(place, {"q": "a"}).status_code == 200, place
        assert staff.post(place + "add/").status_code == 403, place
        row = model._default_manager.first()
        if row is None:
            continue
        page = staff.get(f"{place}{row.pk}/change/")
        assert page.status_code == 200 and b'name="_save"' not in page.content, place
        assert staff.post(f"{place}{row.pk}/change/", {}).status_code == 403, place
        assert staff.post(f"{place}{row.pk}/delete/", {"post": "yes"}).status_code == 403, place
        delete = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
        staff.post(place, delete)
        assert model._default_manager.filter(pk=row.pk).exists(), place


def test_no_secret_is_shown(staff: Client, cast: Cast) -> None:
    page = staff.get(f"/admin/accounts/user/{cast.people['wang'].pk}/change/").content.decode()
    assert cast.people["wang"].password.split("$")[-1] not in page


def test_signing_in_is_the_platforms_own(client: Client, db: None) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_who_may_signs_in_and_looks_round(client: Client, db: None) -> None:
    User.objects.create_user("admin@demo.example", "demo", name="Demo", is_demo=True, is_staff=True)
    response = sign_in(client, "admin@demo.example", "demo", next="/admin/")
    assert response["Location"] == "/admin/"
    index = client.get("/admin/")
    assert index.status_code == 200 and b"/admin/bookings/reservation/" in index.content
    people = client.get("/admin/accounts/user/")
    assert people.status_code == 200 and b"admin@demo.example" in people.content


def test_nobody_else_comes_in(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["admin"])  # an administrator of the platform, not of this site
    assert client.get("/admin/").status_code in {302, 403}
