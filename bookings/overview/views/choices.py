"""The offers of fields in which an organisation or a person is chosen by name (js/palette.js)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.api.throttling import People, exceeded
from accounts.domain.errors import TooOften
from accounts.forms import organisation_choice, person_choice
from accounts.permissions import actor_of
from accounts.selectors.choosing import MOST, organisations_like, people_like
from accounts.views.pages import reads


@reads
def organisations(request: HttpRequest) -> HttpResponse:
    """Return open organisations of the register as options for a text."""
    found = organisations_like(_text(request))[:MOST]
    return _options(request, [(organisation_choice(row), row) for row in found])


@reads
def people(request: HttpRequest) -> HttpResponse:
    """Return the people whom the reader sees anyway as options for a text; with `member_of`, the code of an
    organisation, only its members."""
    text, member_of = _text(request), request.GET.get("member_of", "")
    found = people_like(actor_of(request.user), text, member_of)[:MOST]
    return _options(request, [(person_choice(row), row) for row in found])


def _text(request: HttpRequest) -> str:
    """Return the text for which a field asks for names. `TooOften` beyond the requests that one person may
    send to the API."""
    asking: Any = request
    if exceeded([People()], asking, None):
        raise TooOften
    return request.GET.get("q", "")


def _options(request: HttpRequest, found: list[tuple[str, Any]]) -> HttpResponse:
    return render(request, "bookings/overview/choices.html", {"found": found})
