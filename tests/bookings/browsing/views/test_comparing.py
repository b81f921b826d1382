"""Two to four instruments side by side."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import Closure, InstrumentRating
from instruments.register.models import Instrument
from instruments.vocabulary.domain.parameters import Stated
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
from tests.factories.capabilities import parameters_of, state
from tests.factories.cast import NOW, Cast

CHOOSE = "/compare/choose/"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def others(cast: Cast) -> list[Instrument]:
    """Three more; the first is approved by hand."""
    return [
        cast.instrument(name="One", policy={"approval": "manual"}),
        cast.instrument(name="Two"),
        cast.instrument(name="Three"),
    ]


def shown(client: Client, *rows: Instrument, **query: Any) -> str:
    return page_of(client.get("/compare/", {"id": [row.pk for row in rows], **query}))


def row_of(html: str, title: str) -> tuple[bool, str]:
    """Whether a row is marked as different, and its words."""
    rows = re.findall(r"<tr([^>]*)>(.*?)</tr>", html, re.S)
    marked, cells = next((m, c) for m, c in rows if re.search(rf"<th[^>]*>\s*{title}", c))
    return "is-different" in marked, " ".join(re.sub(r"<[^>]*>", " ", cells).split())


def choose(client: Client, row: Instrument, act: str = "add", **headers: str) -> Any:
    data = {"act": act, "next": "/?q=x"}
    return client.post(f"{CHOOSE}?id={row.pk}", data, headers=headers)


def test_rows_in_which_they_differ_are_marked(client: Client, cast: Cast, others: list[Instrument]) -> None:
    client.force_login(cast.people["wang"])
    html = shown(client, cast.microscope, others[0])
    assert row_of(html, "Confirmation")[0]
    assert "by the owner" in row_of(html, "Confirmation")[1]
    assert row_of(html, "Host and region") == (
        False,
        f"Host and region {cast.ustc.name} · Anhui {cast.ustc.name} · Anhui",
    )
    assert "1 h: you pay" in row_of(html, "What you pay")[1]
    only = shown(client, cast.microscope, others[0], only="differences")
    assert "Confirmation" in only
    assert "Host and region" not in only


def test_the_price_is_for_the_length_wished_for(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    html = shown(client, cast.microscope, minutes=120)
    assert "2 h: you pay" in row_of(html, "What you pay")[1]
    assert "1 h: you pay" in row_of(shown(client, cast.microscope, minutes="x"), "What you pay")[1]


def test_four_at_most_each_once_and_none_that_may_not_be_seen(
    client: Client, cast: Cast, others: list[Instrument]
) -> None:
    hidden = cast.instrument(name="Hidden")
    Instrument.objects.filter(pk=hidden.pk).update(publication="draft")
    html = shown(client, cast.microscope, cast.microscope, hidden)
    assert html.count('<th scope="col">') == 1
    assert "Hidden" not in html
    assert "1 of them is not available to you." in html
    html = shown(client, cast.microscope, *others, cast.instrument(name="Five"))
    assert (html.count('<th scope="col">'), "Five" in html) == (4, False)
    assert "Only the first four are shown." in html
    for query in ("", "?id=x", "?id=%00", f"?id={cast.microscope.pk}x"):
        assert "Nothing is chosen yet" in page_of(client.get(f"/compare/{query}"))


def test_they_are_chosen_without_scripts_by_whoever_reads(
    client: Client, cast: Cast, others: list[Instrument]
) -> None:
    assert choose(client, cast.microscope)["Location"] == "/?q=x"
    choose(client, cast.microscope)
    choose(client, others[0])
    html = page_of(client.get("/"))
    assert "2 instruments chosen" in html
    assert f"/compare/?id={cast.microscope.pk}&amp;id={others[0].pk}" in html
    assert page_of(client.get("/compare/")).count('<th scope="col">') == 2
    choose(client, cast.microscope, act="remove")
    assert "1 instrument chosen" in page_of(client.get("/"))
    client.post(CHOOSE, {"act": "clear", "next": "https://elsewhere.example/"})
    assert "chosen" not in re.sub(r"No instrument is selected", "", page_of(client.get("/")))


def test_a_fifth_is_refused_and_changes_nothing(client: Client, cast: Cast, others: list[Instrument]) -> None:
    for row in (cast.microscope, *others):
        choose(client, row)
    fifth = cast.instrument(name="Five")
    html = page_of(choose(client, fifth, **{"HX-Request": "true"}))
    assert "At most 4 instruments are compared at once" in html
    assert 'aria-pressed="false"' in html
    assert "4 instruments chosen" in html
    assert client.session["compared"] == [str(row.pk) for row in (cast.microscope, *others)]
    assert client.post(f"{CHOOSE}?id=x", {"act": "add"}).status_code == 404


def test_four_take_the_statements_of_two(
    client: Client, cast: Cast, others: list[Instrument], django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.people["wang"])
    for row in (cast.microscope, *others):
        row.techniques.add(Technique.objects.get_or_create(code="x", name="x")[0])
    shown(client, cast.microscope, others[0])
    with django_assert_max_num_queries(12):
        shown(client, cast.microscope, others[0])
    with django_assert_max_num_queries(12):
        shown(client, cast.microscope, *others)


def test_what_meets_what_is_needed_is_bold(client: Client, cast: Cast, others: list[Instrument]) -> None:
    parameters_of(cast)
    state(cast.microscope, [Stated("spatial_resolution", Decimal(1), condition="at 15 kV")])
    state(others[0], [Stated("spatial_resolution", Decimal(5))])
    spec = "spatial_resolution:2:"
    html = shown(client, cast.microscope, *others[:2], spec=spec)
    marked, words = row_of(html, "Spatial resolution")
    assert marked
    assert words == ("Spatial resolution needed: down to 2 nm ≠ (differs) 1 meets it at 15 kV 5 not stated")
    assert re.findall(r"<strong>([^<]*)</strong>\s*<span class=\"compare-meets", html) == ["1"]
    assert f'name="spec" value="{spec}"' in html  # and stays when the length changes
    of_words = shown(client, cast.microscope, q="resolution 2 nm")
    assert "meets it" in row_of(of_words, "Spatial resolution")[1]
    assert "meets it" not in shown(client, cast.microscope, others[0])
    for wrong in ("x", "spatial_resolution:a:", "\x00"):
        assert "meets it" not in shown(client, cast.microscope, spec=wrong)


def test_the_wishes_of_the_search_go_with_the_choice(client: Client, cast: Cast) -> None:
    parameters_of(cast)
    state(cast.microscope, [Stated("spatial_resolution", Decimal(1))])
    search = "/?spec=spatial_resolution:2:&sort=name"
    carried = "spec=spatial_resolution%3A2%3A"
    html = page_of(client.get(search))
    (wishes,) = re.findall(r'name="wishes" value="([^"]*)"', html)
    assert wishes == carried
    data = {"act": "add", "next": search, "wishes": wishes + "&next=//elsewhere.example"}
    part = page_of(client.post(f"{CHOOSE}?id={cast.microscope.pk}", data, headers={"HX-Request": "true"}))
    assert f"/compare/?id={cast.microscope.pk}&amp;{carried}" in part
    assert "elsewhere" not in part
    assert f"/compare/?id={cast.microscope.pk}&amp;{carried}" in page_of(client.get(search))


def test_ratings_and_the_last_calibration(client: Client, cast: Cast, others: list[Instrument]) -> None:
    InstrumentRating.objects.create(
        instrument=cast.microscope,
        mean="4.25",
        ratings=12,
        raters=6,
        organisations=3,
        response="0.5",
        as_of=NOW,
    )
    for days, kind in ((90, "calibration"), (30, "calibration"), (10, "breakdown"), (-1, "calibration")):
        end = NOW - timedelta(days=days)
        Closure.objects.create(
            instrument=others[0], kind=kind, start_at=end - timedelta(hours=1), end_at=end, created_at=NOW
        )
    html = shown(client, cast.microscope, others[0])
    assert row_of(html, "Rating by users") == (
        True,
        "Rating by users ≠ (differs) 4.3 of 5 from 12 ratings · 50.0 % of the sessions rated too few ratings",
    )
    day = (NOW - timedelta(days=30)).astimezone(cast.facility.zone)
    assert row_of(html, "Last calibration")[1].endswith(f"none recorded {day:%Y-%m-%d}")
