"""Pages of a person's lists of instruments, and the star on cards and instruments."""

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
from accounts.views.pages import act, by_of, chooses, edits, sent, status_of, writes
from bookings.browsing.forms.lists import ListForm, NoteForm
from bookings.browsing.models import InstrumentList
from bookings.browsing.selectors.lists import own_entries, own_entry, own_list, own_lists
from bookings.browsing.services import lists as list_services
from bookings.catalogue.views.refusals import refusal_text
from instruments.attachments.selectors.attachments import load_pictures
from instruments.register.models import Instrument

PAGE = 30


@edits
def lists(request: HttpRequest) -> HttpResponse:
    """Show the favourites, or the first of the reader's lists; POST creates another."""
    return act(
        request,
        partial(_page, request, None),
        lambda by, data: list_services.list_create(by, name=data["name"]),
        to=lambda row: reverse("bookings:list", args=[row.pk]),
        done=gettext("The list is ready."),
        form=ListForm(sent(request), auto_id="new_%s"),
        name="new",
    )


@edits
@chooses("rename", "delete")
def one(request: HttpRequest, list_id: UUID, choice: str) -> HttpResponse:
    """Show a list; POST renames or deletes it."""
    row = own_list(actor_of(request.user), list_id)
    if choice == "delete":
        return act(
            request,
            partial(_page, request, row),
            lambda by, _: list_services.list_delete(by, list_id=list_id),
            to=reverse("bookings:lists"),
            done=gettext("The list is deleted."),
        )
    return act(
        request,
        partial(_page, request, row),
        lambda by, data: list_services.list_rename(by, list_id=list_id, name=data["name"]),
        to=reverse("bookings:list", args=[list_id]),
        done=gettext("Saved."),
        form=ListForm(sent(request), initial={"name": row.name}),
        name="renaming",
    )


@writes
@chooses("note", "remove")
def entry(request: HttpRequest, entry_id: UUID, choice: str) -> HttpResponse:
    """Replace the note of an entry, or remove the entry."""
    work: Callable[..., Any]
    if choice == "remove":
        form, done = None, gettext("Removed from the list.")
        work = lambda by, _: list_services.entry_remove(by, entry_id=entry_id)  # noqa: E731
    else:
        form, done = NoteForm(request.POST), gettext("Saved.")
        work = lambda by, data: list_services.entry_note(by, entry_id=entry_id, note=data["note"])  # noqa: E731
    return act(
        request,
        lambda **forms: _page(request, own_entry(actor_of(request.user), entry_id).list, **forms),
        work,
        to=lambda row: reverse("bookings:list", args=[row.list_id]),
        done=done,
        form=form,
        name="noting",
    )


@writes
@chooses("add", "remove")
def keep(request: HttpRequest, instrument_id: UUID, choice: str) -> HttpResponse:
    """Add an instrument to the favourites or to the list named, or remove it from the favourites; then return
    to the page. htmx gets only the star."""
    by = by_of(request)
    is_kept, problem, status = choice == "add", "", 200
    named = request.POST.get("list", "")
    list_id = as_uuid(named)
    if named and list_id is None:
        raise NotFound
    try:
        if is_kept:
            list_services.entry_keep(by, instrument_id=instrument_id, list_id=list_id)
        else:
            list_services.star_remove(by, instrument_id=instrument_id)
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
