"""Needs on pages, without a script."""

import re
from html import unescape

import pytest
from django.test import Client

from accounts.domain.roles import By
from bookings.models import Need
from bookings.needs.services.needs import need_withdraw
from instruments.register.models import Instrument
from instruments.search.models import SearchEntry
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.board import TEXT, bid_of, enquiry_of
from tests.factories.capabilities import parameters_of
from tests.factories.cast import CARD, NOW, Cast, at
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
    assert "1 instrument fits" in html and "not stated (down to 2 nm needed)" in html
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
        ({"latest": "2026-03-05T08:00"}, "end"),
        ({"budget": "-3"}, ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    cast: Cast, wang: Client, changed: dict[str, str], message: str
) -> None:
    assert message in page_of(wang.post("/needs/new/", FORM | changed), 400)
    assert not Need.objects.exists()


def test_a_question_leads_back_to_the_need_which_says_that_it_was_asked(cast: Cast, wang: Client) -> None:
    need = need_of(cast, text="grain size, resolution 2 nm")
    here, pk = f"/needs/{need.pk}/", cast.microscope.pk
    assert f'value="{here}#match-{pk}"' in page_of(wang.get(here))
    question = {"parameter": "spatial_resolution", "next": f"{here}#match-{pk}"}
    sent = wang.post(f"/instruments/{pk}/questions/", question)
    assert sent.url == f"{here}#match-{pk}"
    html = page_of(wang.get(here))
    assert "you have asked" in html and 'name="parameter"' not in html
    away = wang.post(f"/instruments/{pk}/questions/", question | {"next": "https://elsewhere.test/"})
    assert away.url == "/"


def test_the_term_chosen_in_the_catalogue_stays_chosen_for_the_same_text(cast: Cast, wang: Client) -> None:
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


def test_a_price_by_the_sample_is_said_for_as_many_as_are_asked_for(cast: Cast, wang: Client) -> None:
    cast.instrument(
        name="By the sample", service_modes=["entrusted"], card={"rate_unit": "sample", "minimum_minutes": 0}
    )
    need = need_of(cast, quantity=40, modes=["entrusted"])
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/")).split())
    assert "40 samples: you pay" in html and "1 sample: you pay" not in html


def test_what_cannot_be_booked_for_so_long_says_for_how_long_it_can(cast: Cast, wang: Client) -> None:
    cast.instrument(name="Half days", policy={"min_minutes": 240, "max_minutes": 480})
    need = need_of(cast)
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/?why=Half+days")).split())
    assert html.count("Bookings last from 4 h to 8 h.") == 2  # came near, and asked for


def test_the_list_has_states_and_is_narrowed_by_them(cast: Cast, wang: Client) -> None:
    first, second = need_of(cast, text="grain size of the first"), need_of(cast, text="grain size again")
    need_withdraw(By(cast.actor("wang"), NOW), need_id=second.pk)
    html = page_of(wang.get("/needs/"))
    assert "state-open" in html and "state-withdrawn" in html and 'name="state"' in html
    html = page_of(wang.get("/needs/?state=withdrawn"))
    assert second.text in html and first.text not in html
    assert b"withdrawn" in b"".join(wang.get("/needs/?state=withdrawn&format=csv"))


def test_its_page_leads_to_each_next_thing_and_back_and_closes_doors(
    cast: Cast,
    client: Client,
    clock: Clock,  # noqa: F811
) -> None:
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    need = f"/needs/{enquiry.need_id}/"
    client.force_login(cast.hu)
    html = page_of(client.get(need))
    assert "state-offered" in html and f'href="{need}enquiry/"' not in html
    assert (
        f'href="/enquiries/{enquiry.pk}/"' in html and f'href="/enquiries/{enquiry.pk}/#bid-{bid.pk}"' in html
    )
    assert f'href="{need}"' in page_of(client.get(f"/enquiries/{enquiry.pk}/"))
    slot = bid.slots.select_related("reservation").first()
    assert slot and f'href="{need}"' in page_of(client.get(f"/bookings/{slot.reservation_id}/"))
    client.post(f"/enquiries/{enquiry.pk}/accept/", {"slot": str(slot.pk)})
    html = page_of(client.get(need))
    assert "state-booked" in html and f'href="/bookings/{slot.reservation_id}/"' in html
    for door in ("enquiry/", "change/", "withdraw/"):
        assert f'"{need}{door}"' not in html
    assert "match-offer" not in html and page_of(client.post(f"{need}withdraw/"), 409)
    assert f'href="{need}"' in page_of(client.get(f"/bookings/{slot.reservation_id}/"))
    client.force_login(cast.zhao)  # the host knows the booking, and nothing of the need
    html = page_of(client.get(f"/bookings/{slot.reservation_id}/"))
    assert need not in html and TEXT not in html


def test_a_text_that_nobody_understands_says_so_and_offers_to_ask_the_hosts(cast: Cast, wang: Client) -> None:
    sent = wang.post("/needs/new/", FORM | {"text": "qwertyuiop"})
    need = Need.objects.get()
    html = page_of(wang.get(sent.url))
    assert need.terms == [] and "We do not know what measures this" in html
    assert html.count(f'href="/needs/{need.pk}/enquiry/"') == 2  # above, and where nothing was found
    assert "fit" not in _heads(html) and "Close matches" not in html


def test_a_term_that_no_instrument_answers_says_so_without_a_head_above_nothing(
    cast: Cast, wang: Client
) -> None:
    alone = Technique.objects.create(code="alone", name="lonely spectroscopy", scheme="own")
    vocabulary_changed()
    need = need_of(cast, terms=[alone.code])
    html = page_of(wang.get(f"/needs/{need.pk}/"))
    assert "No published instrument measures this" in html
    assert "fit" not in _heads(html) and "Close matches" not in html and "Near, not the same" not in html


def test_neighbours_stand_below_a_line_and_count_for_nothing(cast: Cast, wang: Client) -> None:
    above, sibling = (
        Technique.objects.create(code=code, name=f"{code} microscopy", scheme="own")
        for code in ("above", "beside")
    )
    cast.technique.parents.add(above)
    sibling.parents.add(above)
    cast.instrument(name="Neighbour", techniques=[sibling], card={"rates": dict.fromkeys(CARD["rates"], "1")})
    vocabulary_changed()
    need = need_of(cast)
    html = " ".join(page_of(wang.get(f"/needs/{need.pk}/")).split())
    right, near = html.split("Near, not the same: ask the host")
    assert "1 instrument fits" in right and "Neighbour" not in right
    assert f"Grain size by {cast.technique.name}" in right and "closest fit" in right
    assert f"has beside microscopy, which is related to {cast.technique.name}" in near
    assert "closest fit" not in near and "cheapest" not in near
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="retired")
    SearchEntry.objects.filter(pk=cast.microscope.pk).update(is_published=False)
    html = page_of(wang.get(f"/needs/{need.pk}/"))
    assert "No published instrument measures this" in html and "Neighbour" in html
    assert "fit" not in _heads(html)


def _heads(html: str) -> str:
    return " ".join(re.findall(r"<h2[^>]*>(.*?)</h2>", html, re.DOTALL))


def test_why_not_another_one(cast: Cast, wang: Client) -> None:
    cast.instrument(name="Something else", techniques=[])
    need = need_of(cast)
    here = f"/needs/{need.pk}/"
    assert "none of the suitable techniques" in page_of(wang.get(here + "?why=Something+else"))
    assert "number 1 in the list." in page_of(wang.get(here + "?why=electron+microscope"))
    assert "No instrument has this name" in page_of(wang.get(here + "?why=qwertyuiop"))


def test_what_is_over_or_withdrawn_says_so(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    need_withdraw(By(cast.actor("wang"), NOW), need_id=need.pk)
    assert "This need is withdrawn." in page_of(wang.get(f"/needs/{need.pk}/"))
    assert page_of(wang.post(f"/needs/{need.pk}/correct/", {"act": "add", "code": "x"}), 409)


def test_readers_are_named_on_its_page(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    here = f"/needs/{need.pk}/share/"
    for address in ("sun@ustc.example", "x@nowhere.example"):
        assert wang.post(here, {"person": address}).status_code == 302
        assert address in page_of(wang.get(f"/needs/{need.pk}/"))
    assert "Sun Tao" not in page_of(wang.get(f"/needs/{need.pk}/"))
    assert page_of(wang.post(here, {"person": "no address"}), 400)
    wang.post(f"/needs/{need.pk}/unshare/", {"person": "sun@ustc.example"})
    need.refresh_from_db()
    assert need.reader_addresses == ["x@nowhere.example"]


def test_a_reader_is_chosen_by_name_of_those_whom_one_sees(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    page, here = f"/needs/{need.pk}/", f"/needs/{need.pk}/share/"
    assert 'data-choose="/choices/people/"' in page_of(wang.get(page))
    html = page_of(wang.post(here, {"person": "Sun Tao"}), 400)  # of USTC: not of those she sees
    assert "You know of nobody called so." in html
    chen = Client()
    chen.force_login(cast.people["chen"])
    for text in (cast.wang.name, "wang@fudan.example"):
        assert chen.post(here, {"person": text}).status_code == 302
    need.refresh_from_db()
    assert (list(need.readers.all()), need.reader_addresses) == ([cast.wang], [])
    assert "Nobody is notified" not in page_of(wang.get(page))


def test_the_page_says_who_is_told_of_a_comment(cast: Cast, wang: Client) -> None:
    need = need_of(cast)
    page = f"/needs/{need.pk}/"
    assert "Nobody is notified of what you write" in page_of(wang.get(page))
    wang.post(f"{page}share/", {"person": "sun@ustc.example"})
    html = page_of(wang.get(page))
    assert "The readers named below are notified" in html and "The host is notified" not in html


def test_who_books_directly_is_told_that_the_enquiry_closes(cast: Cast, wang: Client) -> None:
    said = "Booking one of these closes your enquiry"
    page = f"/needs/{need_of(cast).pk}/"
    assert said not in page_of(wang.get(page))
    enquiry = enquiry_of(cast, "wang")
    assert said in page_of(wang.get(f"/needs/{enquiry.need_id}/"))


def test_comparing_keeps_length_and_window_of_the_need(cast: Cast, wang: Client) -> None:
    need = need_of(cast, minutes=540, modes=["assisted"])
    wang.post(f"/compare/choose/?id={cast.microscope.pk}", {"act": "add"})
    html = page_of(wang.get(f"/needs/{need.pk}/"))
    link = unescape(re.findall(r'href="(/compare/\?[^"]+)"', html)[0])
    window = ("free_from=2026-03-06T08%3A00", "free_until=2026-03-27T20%3A00")
    for part in ("minutes=540", "service_mode=assisted", "organisation=fudan", *window):
        assert part in link
    html = page_of(wang.get(link))
    assert re.search(r'value="540"\s+selected', html)
    assert "Free times from Fri 6 Mar 2026, 08:00 to Fri 27 Mar 2026, 20:00." in html
    for wrong in ("minutes=0", "minutes=99999", "minutes=x", "free_from=x", "free_until=2020-01-01T00:00"):
        assert wang.get(f"/compare/?id={cast.microscope.pk}&{wrong}").status_code == 200
