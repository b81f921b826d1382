"""The administration pages: for looking only, and behind the platform's own sign-in."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import User
from bookings.models import Reservation
from config.admin import NAMES
from tests.accounts.pages import sign_in
from tests.factories.cast import Cast
from tests.factories.moments import NOW

MODELS = list(admin.site._registry)


@pytest.fixture
def staff(client: Client, cast: Cast) -> Client:
    User.objects.filter(pk=cast.people["admin"].pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=cast.people["admin"].pk))
    return client


def test_our_three_apps_are_there_and_nothing_else() -> None:
    assert {model._meta.app_label for model in MODELS} == {"accounts", "instruments", "bookings"}
    assert apps.get_model("accounts", "TrailEntry") in MODELS


def test_tables_have_names_in_both_languages() -> None:
    """One and several of them are called something else, and no Chinese name ends with an s."""
    for model in MODELS:
        assert model.__name__ in NAMES, model
        with translation.override("zh-hans"):
            many = str(model._meta.verbose_name_plural)
        assert not many.isascii() or many.startswith("API"), model
        assert not many.endswith("s"), model


def test_they_show_and_change_nothing(staff: Client) -> None:
    for model in MODELS:
        place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert "Times are in Beijing time" in staff.get(place).content.decode(), place
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


def reservations(cast: Cast, count: int) -> list[Reservation]:
    """Bookings of Wang's at USTC, each a day after the one before."""
    rows = [
        Reservation(
            instrument=cast.microscope,
            start_at=NOW + timedelta(days=day),
            end_at=NOW + timedelta(days=day, hours=1),
            state="completed",
            user=cast.people["wang"],
            made_by=cast.people["wang"],
            organisation=cast.fudan,
            payer_region=cast.fudan.region,
            host=cast.ustc,
            host_region=cast.ustc.region,
            service_mode="self",
            price_group="external",
            rate_card=cast.microscope.rate_cards.first(),
            requested_at=NOW,
        )
        for day in range(count)
    ]
    return Reservation.objects.bulk_create(rows)


def test_a_large_table_is_searched_by_the_rows_it_refers_to(staff: Client, cast: Cast) -> None:
    first, second = reservations(cast, 2)
    place = "/admin/bookings/reservation/"

    def chosen(words: str) -> set[Any]:
        return {row.pk for row in staff.get(place, {"q": words}).context["cl"].result_list}

    assert chosen(str(first.pk)) == {first.pk}
    assert chosen("wang@fudan") == chosen("") == {first.pk, second.pk}
    assert chosen("fudan") == {first.pk, second.pk}
    assert chosen("zhao@") == set()


def test_pages_of_a_large_table_are_in_the_order_of_an_index(staff: Client, cast: Cast) -> None:
    rows = reservations(cast, 3)
    shown = staff.get("/admin/bookings/reservation/", {"o": "4"}).context["cl"].result_list
    assert [row.pk for row in shown] == [row.pk for row in reversed(rows)]


def test_all_rows_of_a_large_table_are_not_counted(staff: Client, cast: Cast) -> None:
    """As many as the database last estimated, of which pages can be turned to a limit."""
    reservations(cast, 3)
    table = "bookings_reservation"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pg_class SET reltuples = 5800000 WHERE relname = '{table}'")
        with CaptureQueriesContext(connection) as seen:
            page = staff.get("/admin/bookings/reservation/").context["cl"]
    assert page.result_count == 5_800_000
    assert page.paginator.num_pages == 200
    assert not [one for one in seen if f'COUNT(*) AS "__count" FROM "{table}"' in one["sql"]]
    assert staff.get("/admin/bookings/reservation/", {"p": "201"})["Location"].endswith("e=1")
    narrowed = staff.get("/admin/bookings/reservation/", {"state__exact": "held"}).context["cl"]
    assert narrowed.result_count == 0
