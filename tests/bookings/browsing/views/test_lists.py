"""The star, and the page of one's lists."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import InstrumentList, ListEntry
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast


@pytest.fixture
def wang(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    client.force_login(cast.people["wang"])
    return client


def keep(client: Client, row: Instrument, act: str = "add", **more: Any) -> Any:
    headers = more.pop("headers", None)
    data = {"act": act, "next": "/?q=x", **more}
    return client.post(f"/instruments/{row.pk}/keep/", data, headers=headers)


def test_the_star_on_a_card_works_with_and_without_scripts(wang: Client, cast: Cast) -> None:
    assert 'aria-pressed="false"' in page_of(wang.get("/"))
    assert keep(wang, cast.microscope)["Location"] == "/?q=x"
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        assert "star-on" in page_of(wang.get(path)), path
    html = page_of(keep(wang, cast.microscope, "remove", headers={"HX-Request": "true"}))
    assert 'aria-pressed="false"' in html
    assert "star-on" not in html
    assert "star-on" in page_of(keep(wang, cast.microscope, headers={"HX-Request": "true"}))
    assert ListEntry.objects.count() == 1


def test_nobody_has_a_star_who_has_not_signed_in(client: Client, cast: Cast) -> None:
    assert "/keep/" not in page_of(client.get("/"))
    assert "/accounts/login/" in keep(client, cast.microscope)["Location"]
    assert ListEntry.objects.count() == 0


def test_lists_are_made_renamed_noted_and_deleted(wang: Client, cast: Cast) -> None:
    assert "No lists yet" in page_of(wang.get("/lists/"))
    wang.post("/lists/", {"name": "Thesis"})
    thesis = InstrumentList.objects.get()
    keep(wang, cast.microscope, list=thesis.pk)
    here, entry = f"/lists/{thesis.pk}/", ListEntry.objects.get()
    wang.post(f"/lists/entries/{entry.pk}/", {"act": "note", "note": "Has a cryo <holder>"})
    html = page_of(wang.get(here))
    assert "Has a cryo &lt;holder&gt;" in html
    assert cast.microscope.name in html
    assert wang.post(here, {"name": "Paper", "act": "rename"})["Location"] == here
    assert page_of(wang.post("/lists/", {"name": "Paper"}), 400).count("already taken") == 1
    page_of(wang.post(f"/lists/entries/{entry.pk}/", {"act": "note", "note": "x" * 1001}), 400)
    assert ListEntry.objects.get().note == "Has a cryo <holder>"
    wang.post(f"/lists/entries/{entry.pk}/", {"act": "remove"})
    wang.post(here, {"act": "delete"})
    assert (InstrumentList.objects.count(), ListEntry.objects.count()) == (0, 0)


def test_what_is_no_longer_offered_says_only_that(wang: Client, cast: Cast) -> None:
    keep(wang, cast.microscope)
    name = cast.microscope.name
    Instrument.objects.filter(pk=cast.microscope.pk).update(
        publication="draft", name="Secret", name_zh="Secret"
    )
    html = page_of(wang.get("/lists/"))
    assert "No longer offered" in html
    assert name in html
    assert "Secret" not in html
    assert f"/instruments/{cast.microscope.pk}/" not in html


def test_a_list_takes_the_statements_of_one_entry(
    wang: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    keep(wang, cast.microscope)
    wang.get("/lists/")
    with django_assert_max_num_queries(8):  # the person, what waits for them, and the list
        wang.get("/lists/")
    for n in range(3):
        keep(wang, cast.instrument(name=f"More {n}"))
    with django_assert_max_num_queries(8):
        wang.get("/lists/")
