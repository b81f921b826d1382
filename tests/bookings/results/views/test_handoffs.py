"""Results on pages, without a script."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bookings.models import HandOff, HostStorage, Receipt, ResultFile
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.cast import Cast, reserve
from tests.factories.results import announced, released, uploaded


@pytest.fixture
def zhao(client: Client, cast: Cast, clock: Clock, settings: Any, tmp_path: Any) -> Client:  # noqa: F811
    settings.MEDIA_ROOT = tmp_path / "media"
    client.force_login(cast.zhao)
    return client


@pytest.fixture
def wang(cast: Cast) -> Client:
    browser = Client()
    browser.force_login(cast.wang)
    return browser


def test_from_a_booking_to_released_results(cast: Cast, zhao: Client, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    page = reverse("bookings:reservation", args=[booking.pk])
    assert "Deliver results" in page_of(zhao.get(page))
    assert "Deliver results" not in page_of(wang.get(page))
    zhao.post(f"{page}results/")
    row = HandOff.objects.get()
    here = f"/results/{row.pk}/"
    assert here in page_of(wang.get(page))
    assert f'data-hand-off="{row.pk}"' in page_of(zhao.get(f"{here}upload/"))
    uploaded(cast, row, "谱图/a.csv")
    hidden = page_of(wang.get(here))
    assert "谱图/a.csv" not in hidden and "The host has not released the results yet" in hidden
    assert "谱图/a.csv" in page_of(zhao.get(here))
    zhao.post(f"{here}seal/")
    zhao.post(f"{here}release/", {"note": "as agreed"})
    row.refresh_from_db()
    assert (row.state, row.note) == ("released", "as agreed")
    seen = page_of(wang.get(here))
    assert "谱图/a.csv" in seen and "as agreed" in seen and row.manifest_digest in seen
    assert "can no longer be added" in page_of(zhao.get(f"{here}upload/"))


def test_a_booking_says_that_its_results_are_overdue(cast: Cast, wang: Client, clock: Clock) -> None:  # noqa: F811
    row = announced(cast)
    page = reverse("bookings:reservation", args=[row.reservation_id])
    assert "overdue" not in page_of(wang.get(page))
    clock.now = row.due_at
    assert "overdue" in page_of(wang.get(page))


def test_the_list_is_sorted_by_what_its_columns_show(cast: Cast, zhao: Client) -> None:
    days = ("2026-03-06", "2026-03-09", "2026-03-10")
    rows = [announced(cast, reserve(cast, f"{day} 10:00", f"{day} 12:00")) for day in days]
    released(cast, rows[0])  # the first to be due, and the last by its state
    uploaded(cast, rows[1], "large.raw", bytes(5000))

    def listed(sort: str) -> list[str]:
        page = zhao.get("/results/", {"sort": sort})
        return [f"{row.state} {row.file_count}" for row in page.context["rows"]]

    assert listed("state") == ["expected 0", "released 2", "uploading 1"]
    assert listed("-state") == listed("state")[::-1]
    assert listed("file_count") == ["expected 0", "uploading 1", "released 2"]


def test_what_is_refused_is_said(cast: Cast, zhao: Client) -> None:
    row = announced(cast)
    here = f"/results/{row.pk}/"
    answer = zhao.post(f"{here}seal/")
    assert answer.status_code == 409
    assert "This is no longer possible: it is now expected." in answer.content.decode()
    wrong = zhao.post(f"{here}point/", {"protocol": "sftp", "host": "a b", "path": "/x"})
    assert wrong.status_code == 400
    assert "This must be a host name" in wrong.content.decode()
    assert zhao.post(f"{here}withdraw/", {"reason": ""}).status_code == 400
    stale = zhao.post(f"{here}withdraw/", {"reason": "x", "version": "7"})
    assert stale.status_code == 412
    row.refresh_from_db()
    assert row.state == "expected"


def test_what_a_hold_keeps_is_not_offered_to_be_withdrawn(cast: Cast, zhao: Client) -> None:
    row = released(cast)
    here = f"/results/{row.pk}/"
    assert f"{here}withdraw/" in zhao.get(here).content.decode()
    zhao.post(f"{here}hold/", {"reason": "dispute"})
    page = zhao.get(here).content.decode()
    assert f"{here}withdraw/" not in page and f"{here}lift/" in page
    assert zhao.post(f"{here}withdraw/", {"reason": "x"}).status_code == 409
    assert zhao.post(f"{here}lift/").status_code == 302
    assert f"{here}withdraw/" in zhao.get(here).content.decode()


def test_a_file_is_removed(cast: Cast, zhao: Client) -> None:
    row = announced(cast)
    file = uploaded(cast, row)
    zhao.post(f"/results/{row.pk}/files/{file.pk}/remove/")
    assert not ResultFile.objects.exists()
    row.refresh_from_db()
    assert row.state == "expected"


def test_lists_of_both_sides_and_what_is_overdue(
    cast: Cast,
    zhao: Client,
    wang: Client,
    clock: Clock,  # noqa: F811
) -> None:
    late = announced(cast)
    done = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    ready = released(cast, announced(cast, done))
    clock.now = late.due_at
    for browser in (zhao, wang):
        every = page_of(browser.get("/results/"))
        assert f"/results/{late.pk}/" in every and f"/results/{ready.pk}/" in every
        overdue = page_of(browser.get("/results/?overdue=on"))
        assert f"/results/{late.pk}/" in overdue and f"/results/{ready.pk}/" not in overdue
        chosen = page_of(browser.get("/results/?state=released"))
        assert f"/results/{ready.pk}/" in chosen and f"/results/{late.pk}/" not in chosen
    page_of(wang.get("/results/?state=nonsense"))
    hu = Client()
    hu.force_login(cast.hu)
    assert "No results here" in page_of(hu.get("/results/"))


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_takes_as_many_statements_whatever_its_length(
    cast: Cast, zhao: Client, number: int, django_assert_max_num_queries: Any
) -> None:
    for n in range(number):
        hour = 10 + 2 * n
        booking = reserve(cast, f"2026-03-06 {hour}:00", f"2026-03-06 {hour + 2}:00")
        uploaded(cast, announced(cast, booking))
    zhao.get("/results/")
    with django_assert_max_num_queries(8):
        zhao.get("/results/")


def test_terms_and_storage(cast: Cast, zhao: Client) -> None:
    terms = f"/manage/instruments/{cast.microscope.pk}/results/"
    page_of(zhao.get(terms))
    assert zhao.post(terms, {"due_days": "0", "keep_days": "30"}).status_code == 400
    zhao.post(terms, {"due_days": "3", "keep_days": "30", "modes": ["self"]})
    uploaded(cast, announced(cast))
    assert HandOff.objects.get().due_at.day == 9
    assert "USTC" in page_of(zhao.get("/results/storage/"))
    admin = Client()
    admin.force_login(cast.admin)
    admin.post(f"/results/storage/{cast.ustc.pk}/", {"quota": "2"})
    assert HostStorage.objects.get().quota == 2 << 30
    admin.post(f"/results/storage/{cast.ustc.pk}/", {"quota": ""})
    assert HostStorage.objects.get().quota is None
    assert admin.post(f"/results/storage/{cast.ustc.pk}/", {"quota": "x"}).status_code == 400


def test_what_stays_at_the_host_is_confirmed_with_a_click(cast: Cast, zhao: Client, wang: Client) -> None:
    here = f"/results/{announced(cast).pk}/"
    zhao.post(f"{here}point/", {"protocol": "sftp", "host": "data.ustc.test", "path": "/runs/7"})
    assert f"{here}confirm/" not in page_of(zhao.get(here))
    page = wang.get(here)
    assert f"{here}confirm/" in page_of(page)
    wang.post(f"{here}confirm/", {"manifest_digest": page.context["digest"]})
    assert Receipt.objects.get().way == "confirmed"
    for browser in (wang, zhao):
        assert "received and checked" in page_of(browser.get(here))
    assert f"{here}confirm/" not in page_of(wang.get(here))


def test_after_results_were_withdrawn_others_are_delivered(cast: Cast, zhao: Client, wang: Client) -> None:
    row = released(cast)
    here, again = f"/results/{row.pk}/", f"/bookings/{row.reservation_id}/results/"
    assert again not in page_of(zhao.get(here))
    zhao.post(f"{here}withdraw/", {"reason": "of another sample"})
    for address in (here, f"/bookings/{row.reservation_id}/"):
        assert again in page_of(zhao.get(address))
        assert again not in page_of(wang.get(address))
    assert zhao.post(again).status_code == 302
    later = HandOff.objects.exclude(pk=row.pk).get()
    for browser in (zhao, wang):
        page = page_of(browser.get(here))
        assert f"/results/{later.pk}/" in page and again not in page


def test_the_page_of_a_withdrawn_delivery_takes_no_files(cast: Cast, zhao: Client) -> None:
    row = announced(cast)
    file = uploaded(cast, row)
    here = f"/results/{row.pk}/"
    zhao.post(f"{here}withdraw/", {"reason": "of another sample"})
    assert 'id="uploads"' not in page_of(zhao.get(f"{here}upload/"))
    assert zhao.post(f"{here}files/{file.pk}/remove/").status_code in {404, 409}
    assert zhao.post(f"{here}seal/").status_code == 409
