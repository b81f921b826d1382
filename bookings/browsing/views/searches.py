"""Pages of the reader's saved searches."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Refused
from accounts.permissions import actor_of
from accounts.services.users import name_kept
from accounts.views.pages import act, chooses, edits, writes
from bookings.browsing.forms.catalogue import CatalogueForm
from bookings.browsing.models import SavedSearch
from bookings.browsing.selectors.searches import own_searches
from bookings.browsing.services.searches import search_delete, search_pause, search_save
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text


@edits
def searches(request: HttpRequest) -> HttpResponse:
    """Show the reader's saved searches; POST saves another, with the fields of the catalogue's form and a
    name."""
    if request.method != "POST":
        return _list(request)
    payer, _ = payer_of(actor_of(request.user), request.POST.get("organisation"))
    form = CatalogueForm(request.POST, payer=payer)
    if not form.is_valid():
        return _list(request, problem=gettext("This search could not be read."), status=400)
    criteria = form.criteria()
    name = name_kept(request.POST.get("name", ""))[:100] or criteria.text
    return act(
        request,
        partial(_list, request),
        lambda by, _: search_save(
            by, name=name or gettext("My search"), criteria=criteria, organisation=payer
        ),
        to=reverse("bookings:searches"),
        done=gettext("Saved: you will be notified by mail of new results."),
    )


@writes
@chooses("pause", "resume", "delete")
def change(request: HttpRequest, search_id: UUID, choice: str) -> HttpResponse:
    """Pause, resume or delete a saved search."""
    work: Callable[..., Any]
    match choice:
        case "delete":
            work, done = search_delete, gettext("Deleted.")
        case "pause":
            work, done = partial(search_pause, is_paused=True), gettext("Paused.")
        case _:
            work = partial(search_pause, is_paused=False)
            done = gettext("You will be notified of it again.")
    return act(
        request,
        partial(_list, request),
        lambda by, _: work(by, search_id=search_id),
        to=reverse("bookings:searches"),
        done=done,
    )


def _list(
    request: HttpRequest, status: int = 200, refused: Refused | None = None, problem: str = ""
) -> HttpResponse:
    actor = actor_of(request.user)
    rows = [(search, address_of(search)) for search in own_searches(actor)]
    context: dict[str, Any] = {"searches": rows, "refused": problem or refusal_text(refused)}
    return render(request, "bookings/browsing/searches.html", context, status=status)


def address_of(search: SavedSearch) -> str:
    """Return the address of the catalogue with the criteria of a saved search."""
    query: dict[str, Any] = {
        ("q" if name == "text" else name): value for name, value in search.criteria.items()
    }
    if specs := query.pop("specs", ""):
        query["spec"] = specs.split()
    for name in ("free_from", "free_until"):
        if name in query:  # as a form sends it
            query[name] = query[name][:16]
    if search.organisation:
        query["organisation"] = search.organisation.code
    return reverse("bookings:catalogue", query=query)
