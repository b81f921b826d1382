"""The catalogue with addresses nobody's form has sent."""

import re
from typing import Any

import pytest
from django.test import Client

from config.drawings import SHAPES
from instruments.models import Technique
from instruments.services.search import entries_file
from tests.accounts.pages import page_of
from tests.factories.attachments import photo
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of


@pytest.mark.parametrize("year", ["0001", "1999", "2201", "9999"])
@pytest.mark.parametrize("until", ["", "&free_until=9999-12-31T23:59"])
def test_a_time_beyond_reason_is_marked(client: Client, cast: Cast, year: str, until: str) -> None:
    html = page_of(client.get(f"/?free_from={year}-12-31T00:00{until}"))
    assert "This is not a time." in html


def test_an_organisation_that_cannot_be_is_as_none(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        page_of(client.get(path, {"organisation": "\0"}))


@pytest.fixture
def _grains(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)


@pytest.mark.usefixtures("_grains")
def test_words_that_no_record_has_lead_to_what_they_mean(client: Client, cast: Cast) -> None:
    for words, sentence in (
        ("how large are the grains", "No instrument says"),
        ("晶粒多大", "晶粒"),
    ):
        answer = client.get("/", {"q": words})
        html = page_of(answer)
        assert sentence in html and "Grain size" in html
        assert [i.pk for i, _ in answer.context["results"]] == [cast.microscope.pk]
        assert f"?technique={cast.technique.code}" in html


@pytest.mark.usefixtures("_grains")
def test_words_that_mean_nothing_and_those_with_a_technique_chosen_stay_empty(
    client: Client, cast: Cast
) -> None:
    for query in ({"q": "zzz"}, {"q": "how large are the grains", "technique": "nothing"}):
        answer = client.get("/", query)
        assert (answer.context["results"], answer.context["meanings"]) == ([], [])


def _drawn(html: str) -> list[str]:
    return re.findall(r'<svg class="drawing"[^>]*aria-hidden="true"><path d="([^"]*)"', html)


def test_without_a_photo_an_instrument_is_drawn_by_its_technique(
    client: Client, cast: Cast
) -> None:
    technique = Technique.objects.create(code="PaNET01145", name="electron microscopy")
    cast.microscope.techniques.add(technique)
    entries_file([cast.microscope.pk])
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        assert _drawn(page_of(client.get(path))) == [SHAPES["electron-microscopy"]], path
    added = photo(cast, cast.microscope)
    for path in ("/", f"/instruments/{cast.microscope.pk}/"):
        html = page_of(client.get(path))
        assert (_drawn(html), f'alt="{added.title}"' in html) == ([], True), path


def test_a_mark_says_that_it_is_the_record_s(client: Client, cast: Cast) -> None:
    assert "Record: bronze" in page_of(client.get("/"))
    chinese = {"accept-language": "zh-hans"}
    assert "记录完整度：铜级" in page_of(client.get("/", headers=chinese))
