"""Needs on pages, without a script."""

import re

import pytest
from django.test import Client

from accounts.domain.roles import By
from bookings.models import Need
from bookings.needs.services.needs import need_withdraw
from instruments.selectors.needs import vocabulary_changed
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW, Cast, at
from tests.factories.needs import measurand_of, need_of

FORM = {
    "text": "grain size of steel, resolution 2 nm",
    "earliest": "2026-03-06T08:00",
    "latest": "2026-03-20T08:00",
    "minutes": "120",
    "organisation": "fudan",
}


@pytest.fixture
def wang(client: Client, cast: Cast, clock: Clock) -> Client:  # noqa: F811
    parameters_of(cast)
    measurand_of(cast)
    vocabulary_changed()
    client.force_login(cast.wang)
    return client


def test_described_corrected_and_booked(cast: Cast, wang: Client) -> None:
    html = page_of(wang.get("/needs/new/?text=grain+size"))
    assert "grain size</textarea>" in html
    sent = wang.post("/needs/new/", FORM)
    need = Need.objects.get()
    assert sent.url == f"/needs/{need.pk}/"
    assert (need.earliest, need.latest) == (at("2026-03-06 08:00"), at("2026-03-20 08:00"))
    html = page_of(wang.get(sent.url))
    assert "1 instrument answers it" in html and "not stated (down to 2 nm needed)" in html
    assert re.search(rf'href="/instruments/{cast.microscope.pk}/book/\?start=2026-03-06T', html)
    wang.post(f"/needs/{need.pk}/correct/", {"act": "requirement", "code": "spatial_resolution"})
    wang.post(f"/needs/{need.pk}/correct/", {"act": "add", "code": cast.technique.code})
    wang.post(f"/needs/{need.pk}/correct/", {"act": "remove", "code": "grain-size"})
    need.refresh_from_db()
    assert (need.terms, need.requirements) == ([cast.technique.code], [])
    page_of(wang.get("/needs/"))


def test_other_words_are_read_anew_and_the_same_ones_are_not(cast: Cast, wang: Client) -> None:
    need = need_of(cast, text="grain size, resolution 2 nm")
    wang.post(f"/needs/{need.pk}/correct/", {"act": "requirement", "code": "spatial_resolution"})
    here = f"/needs/{need.pk}/change/"
    page_of(wang.get(here))
    wang.post(here, FORM | {"text": "grain size, resolution 2 nm", "minutes": "60"})
    need.refresh_from_db()
    assert (need.minutes, need.requirements) == (60, [])
    wang.post(here, FORM | {"text": "grain size, resolution 5 nm"})
    need.refresh_from_db()
    assert [each["low"] for each in need.requirements] == ["5"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "qwertyuiop"}, "Nothing of this text is known"),
        ({"latest": "2026-03-05T08:00"}, "end"),
        ({"budget": "-3"}, ""),
        ({"text": "绝无此物"}, "Nothing of this text is known"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    cast: Cast, wang: Client, changed: dict[str, str], message: str
) -> None:
    assert message in page_of(wang.post("/needs/new/", FORM | changed), 400)
    assert not Need.objects.exists()


def test_a_question_leads_back_to_the_need_which_says_that_it_was_asked(
    cast: Cast, wang: Client
) -> None:
    need = need_of(cast, text="grain size, resolution 2 nm")
    here, pk = f"/needs/{need.pk}/", cast.microscope.pk
    assert f'value="{here}#match-{pk}"' in page_of(wang.get(here))
    question = {"parameter": "spatial_resolution", "next": f"{here}#match-{pk}"}
    sent = wang.post(f"/instruments/{pk}/questions/", question)
    assert sent.url == f"{here}#match-{pk}"
    html = page_of(wang.get(here))
    assert "you have asked" in html and 'name="parameter"' not in html
    away = wang.post(
        f"/instruments/{pk}/questions/", question | {"next": "https://elsewhere.test/"}
    )
    assert away.url == "/"


def test_the_term_chosen_in_the_catalogue_stays_chosen_for_the_same_text(
    cast: Cast, wang: Client
) -> None:
    here = f"/needs/new/?text=grain+size&term={cast.technique.code}"
    wang.post(here, FORM | {"text": "grain size"})
    wang.post(here, FORM | {"text": "grain size of another"})
    assert Need.objects.get(text="grain size").terms == [cast.technique.code]
    assert "grain-size" in Need.objects.get(text="grain size of another").terms


def test_the_page_says_what_was_asked_for_and_in_which_currency(cast: Cast, wang: Client) -> None:
    assert '<span class="input-group-text">CNY</span>' in page_of(wang.get("/needs/new/"))
    need = need_of(cast, sample="tea", quantity=40, modes=["entrusted"])
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/")).split())
    assert "· tea · 40 samples · samples sent in" in html
    assert "<span>Grain size</span>" in html  # what it was understood as
    assert "Offered: on your own, with an operator." in html  # and what came near


def test_a_price_by_the_sample_is_said_for_as_many_as_are_asked_for(
    cast: Cast, wang: Client
) -> None:
    cast.instrument(
        name="By the sample",
        service_modes=["entrusted"],
        card={"rate_unit": "sample", "minimum_minutes": 0},
    )
    need = need_of(cast, quantity=40, modes=["entrusted"])
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/")).split())
    assert "40 samples: you pay" in html and "1 sample: you pay" not in html


def test_what_cannot_be_booked_for_so_long_says_for_how_long_it_can(
    cast: Cast, wang: Client
) -> None:
    cast.instrument(name="Half days", policy={"min_minutes": 240, "max_minutes": 480})
    need = need_of(cast)
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/?why=Half+days")).split())
    assert html.count("From 4 h to 8 h at a time.") == 2  # came near, and asked for


def test_why_not_another_one(cast: Cast, wang: Client) -> None:
    cast.instrument(name="Something else", techniques=[])
    need = need_of(cast)
    here = f"/needs/{need.pk}/"
    assert "none of the techniques" in page_of(wang.get(here + "?why=Something+else"))
    assert "number 1." in page_of(wang.get(here + "?why=electron+microscope"))
    assert "No instrument is called so" in page_of(wang.get(here + "?why=qwertyuiop"))


def test_what_is_over_or_withdrawn_says_so(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    need_withdraw(By(cast.actor("wang"), NOW), need_id=need.pk)
    assert "This need is withdrawn." in page_of(wang.get(f"/needs/{need.pk}/"))
    assert page_of(wang.post(f"/needs/{need.pk}/correct/", {"act": "add", "code": "x"}), 409)


def test_readers_are_named_on_its_page(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    here = f"/needs/{need.pk}/readers/"
    assert wang.post(here, {"person": "sun@ustc.example"}).status_code == 302
    assert "Sun Tao" in page_of(wang.get(f"/needs/{need.pk}/"))
    assert "no account" in page_of(wang.post(here, {"person": "x@nowhere.example"}), 400)
    wang.post(here, {"act": "end", "person": str(cast.sun.pk)})
    assert not need.readers.exists()
