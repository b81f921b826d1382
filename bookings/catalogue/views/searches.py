"""Saved searches: one's own, and saving the one that is shown."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.services.users import name_kept
from bookings.catalogue.forms.catalogue import CatalogueForm
from bookings.catalogue.models import SavedSearch
from bookings.catalogue.selectors.searches import own_searches
from bookings.catalogue.services.searches import search_delete, search_pause, search_save
from bookings.catalogue.views.payers import payer_of
from bookings.record.messages import sentence


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def searches(request: HttpRequest) -> HttpResponse:
    """One's own; POST keeps another, with the fields of the catalogue's form and a name."""
    if request.method != "POST":
        return _list(request)
    now, actor = timezone.now(), actor_of(request.user)
    payer, _ = payer_of(actor, request.POST.get("organisation"))
    form = CatalogueForm(request.POST, payer=payer)
    if not form.is_valid():
        return _list(request, gettext("This search could not be read."), status=400)
    criteria = form.criteria()
    name = name_kept(request.POST.get("name", ""))[:100] or criteria.text
    try:
        search_save(
            By(actor, now), name=name or gettext("My search"), criteria=criteria, organisation=payer
        )
    except Invalid as refused:
        problem = refused.problems[0]
        return _list(request, sentence(problem.code, problem.numbers), status=400)
    except WrongState as refused:
        return _list(request, sentence(refused.code, refused.numbers), status=409)
    messages.success(request, gettext("Saved: you will be notified by mail of new results."))
    return redirect("bookings:searches")


@login_required
@require_POST
def change(request: HttpRequest, search_id: UUID) -> HttpResponse:
    """Pause one, go on with it, or delete it."""
    now, actor = timezone.now(), actor_of(request.user)
    if request.POST.get("act") == "delete":
        search_delete(By(actor, now), search_id=search_id)
        messages.success(request, gettext("Deleted."))
    else:
        is_paused = request.POST.get("act") == "pause"
        search_pause(By(actor, now), search_id=search_id, is_paused=is_paused)
        messages.success(
            request,
            gettext("Paused.") if is_paused else gettext("You will be notified of it again."),
        )
    return redirect("bookings:searches")


def _list(request: HttpRequest, refused: str = "", status: int = 200) -> HttpResponse:
    actor = actor_of(request.user)
    rows = [(search, address_of(search)) for search in own_searches(actor)]
    context: dict[str, Any] = {"searches": rows, "refused": refused}
    return render(request, "bookings/catalogue/searches.html", context, status=status)


def address_of(search: SavedSearch) -> str:
    """The catalogue with the same question."""
    said = {("q" if name == "text" else name): value for name, value in search.criteria.items()}
    for name in ("free_from", "free_until"):
        if name in said:  # as a form sends it
            said[name] = said[name][:16]
    if search.organisation:
        said["organisation"] = search.organisation.code
    return f"{reverse('bookings:catalogue')}?{urlencode(said)}"
