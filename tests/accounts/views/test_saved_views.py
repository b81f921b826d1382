"""Saved views of lists: one's own, replaced by name, of pages that exist."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import SavedView
from accounts.services.saved_views import MOST

VIEWS = reverse("accounts:saved-views")
PAGE = "/money/charges/"


@pytest.fixture
def wang(client, cast):
    client.force_login(cast.people["wang"])
    return client


def save(client, name="Disputed", query="state=disputed&sort=-total", page=PAGE):
    return client.post(VIEWS, {"page": page, "query": query, "name": name})


def test_saved_under_a_name_and_listed_with_its_address(wang):
    answer = save(wang, query="state=disputed&page=7&format=csv&sort=-total")
    assert answer["Location"] == f"{PAGE}?state=disputed&sort=-total"
    page = wang.get(VIEWS, {"page": PAGE, "query": ""}).content.decode()
    assert f'href="{PAGE}?state=disputed&amp;sort=-total"' in page and "Disputed" in page
    assert "Disputed" not in wang.get(VIEWS, {"page": "/money/statements/"}).content.decode()


def test_the_same_name_replaces(wang):
    save(wang)
    save(wang, query="state=final")
    assert [view.query for view in SavedView.objects.all()] == ["state=final"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "required"),
        ({"name": "争" * 61}, "too-long"),
        ({"query": "q=" + "x" * 1100}, "too-long"),
    ],
)
def test_refused_with_what_is_wrong_and_nothing_kept(wang, change, code):
    answer = save(wang, **change)
    assert answer.status_code == 400 and f'data-code="{code}"' in answer.content.decode()
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("page", ["", "//evil.example/", "https://evil.example/", "/nowhere/at/all/"])
def test_a_page_that_is_not_ours_is_404(wang, page):
    assert save(wang, page=page).status_code == 404
    assert wang.get(VIEWS, {"page": page}).status_code == 404


def test_there_is_a_most(wang):
    for number in range(MOST):
        save(wang, name=f"view {number}")
    answer = save(wang, name="one more")
    assert answer.status_code == 409 and str(MOST) in answer.content.decode()
    assert save(wang, name="view 3").status_code == 302  # replaced


def test_only_ones_own_is_deleted(wang, cast):
    save(wang)
    view = SavedView.objects.get()
    address = reverse("accounts:saved-view-delete", args=[view.pk])
    sun = Client()
    sun.force_login(cast.people["sun"])
    assert sun.post(address).status_code == 404
    assert wang.post(address)["Location"] == PAGE
    assert not SavedView.objects.exists()
