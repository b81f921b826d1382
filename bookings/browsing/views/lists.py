"""A person's lists of instruments: the pages, and the star on cards and instruments."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, Refused
from accounts.permissions import actor_of
from accounts.selectors.rows import as_uuid
from accounts.views.language import page_to_return_to
from accounts.views.pages import act, by_of, edits, sent, status_of, writes
from bookings.browsing.forms.lists import ListForm, NoteForm
from bookings.browsing.models import InstrumentList
from bookings.browsing.selectors.lists import own_entries, own_entry, own_list, own_lists
from bookings.browsing.services.lists import (
    entry_keep,
    entry_note,
    entry_remove,
    list_create,
    list_delete,
    list_rename,
    star_remove,
)
from bookings.catalogue.views.refusals import refusal_text
from instruments.models import Instrument
from instruments.selectors.attachments import load_pictures

PAGE = 30


@edits
def lists(request: HttpRequest) -> HttpResponse:
    """Show the favourites, or the first of one's lists; POST makes another."""
    return act(
        request,
        partial(_page, request, None),
        lambda by, data: list_create(by, name=data["name"]),
        to=lambda row: reverse("bookings:list", args=[row.pk]),
        done=gettext("The list is ready."),
        form=ListForm(sent(request), auto_id="new_%s"),
        name="new",
    )


@edits
def one(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Show a list; POST calls it something else, or deletes it."""
    row = own_list(actor_of(request.user), list_id)
    if request.POST.get("act") == "delete":
        return act(
            request,
            partial(_page, request, row),
            lambda by, _: list_delete(by, list_id=list_id),
            to=reverse("bookings:lists"),
            done=gettext("The list is deleted."),
        )
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: list_rename(by, list_id=list_id, name=data["name"]),
        to=reverse("bookings:list", args=[list_id]),
        done=gettext("Saved."),
        form=ListForm(sent(request), initial={"name": row.name}),
        name="renaming",
    )


@writes
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Write another note beside an instrument, or keep it no longer."""
    row = own_entry(actor_of(request.user), entry_id)
    work: Callable[..., Any]
    if request.POST.get("act") == "remove":
        form, done = None, gettext("Removed from the list.")
        work = lambda by, _: entry_remove(by, entry_id=entry_id)  # noqa: E731
    else:
        form, done = NoteForm(request.POST), gettext("Saved.")
        work = lambda by, data: entry_note(by, entry_id=entry_id, note=data["note"])  # noqa: E731
    return act(
        request,
        partial(_page, request, row.list),
        work,
        to=reverse("bookings:list", args=[row.list_id]),
        done=done,
        form=form,
        name="noting",
    )


@writes
def keep(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Keep an instrument among the favourites, or in the list that is named; or no longer among
    the favourites. Back to the page; for htmx the star alone."""
    by = by_of(request)
    is_kept, problem, status = request.POST.get("act") != "remove", "", 200
    named = request.POST.get("list", "")
    list_id = as_uuid(named)
    if named and list_id is None:
        raise NotFound
    try:
        if is_kept:
            entry_keep(by, instrument_id=instrument_id, list_id=list_id)
        else:
            star_remove(by, instrument_id=instrument_id)
    except NotFound:
        raise
    except Refused as refused:
        is_kept, problem, status = False, refusal_text(refused), status_of(refused)
    if request.htmx:  # type: ignore[attr-defined]
        context = {
            "pk": instrument_id,
            "starred": {instrument_id} if is_kept else set(),
            "star_problem": problem,
        }
        return render(request, "bookings/browsing/keep.html#star", context, status=status)
    if problem:
        return _page(request, None, status=status, refused=problem)
    return redirect(page_to_return_to(request, request.POST.get("next", "")))


def _page(
    request: HttpRequest,
    row: InstrumentList | None,
    *,
    status: int = 200,
    refused: Refused | str | None = None,
    **forms: Any,
) -> HttpResponse:
    actor = actor_of(request.user)
    rows = list(own_lists(actor))
    row = next((each for each in rows if row is None or each.pk == row.pk), None)
    entries = own_entries(actor).filter(list=row) if row else own_entries(actor).none()
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    instruments: list[Instrument] = [each.shown for each in page if each.is_shown]  # type: ignore[attr-defined]
    context = {
        "lists": rows,
        "row": row,
        "page": page,
        "pictures": load_pictures(instruments),
        "compared": [each.pk for each in instruments[:4]],
        "refused": refusal_text(refused) if isinstance(refused, Refused) else refused,
        "new": ListForm(auto_id="new_%s"),
        "renaming": ListForm(initial={"name": row.name if row else ""}),
        **forms,
    }
    return render(request, "bookings/browsing/lists.html", context, status=status)
