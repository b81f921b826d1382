"""Choosing instruments to compare, and the page that shows them side by side."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import NotFound, WrongState
from accounts.permissions import actor_of
from accounts.selectors.rows import as_uuid
from accounts.views.language import page_to_return_to
from bookings.browsing.domain.comparing import MOST_COMPARED, with_chosen
from bookings.browsing.selectors.comparing import differing, load_compared
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text

CHOSEN = "compared"  # of the session
LENGTHS = (30, 60, 120, 180, 240, 360, 480)
ROWS = {
    "host": _("Host and region"),
    "techniques": _("Techniques"),
    "price": _("What you pay"),
    "start": _("Next free"),
    "modes": _("Service modes"),
    "opening": _("Opening hours"),
    "lengths": _("Length of a booking"),
    "notice": _("Book ahead by"),
    "horizon": _("Bookable up to"),
    "approval": _("Confirmation"),
    "qualifying": _("To operate it alone"),
    "record": _("Quality of the record"),
}


def chosen_of(request: HttpRequest) -> dict[str, Any]:
    """Return what pages with instruments say of comparing: which the reader has chosen, and where
    they choose."""
    return {"chosen": _chosen(request), "choose_address": reverse("bookings:compare-choose")}


def _chosen(request: HttpRequest) -> list[UUID]:
    return _ids(request.session.get(CHOSEN, ()))


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show the instruments of the address, else those chosen; at most four."""
    now, actor = timezone.now(), actor_of(request.user)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    named = _ids(request.GET.getlist("id")) or _chosen(request)
    given = request.GET.get("minutes", "")
    minutes = int(given) if given in map(str, LENGTHS) else 60
    ids = named[:MOST_COMPARED]
    compared = load_compared(actor, ids, payer, now, minutes=minutes)
    differences = differing(compared)
    only = request.GET.get("only") == "differences"
    context = {
        "compared": compared,
        "columns": [(each, _without(request, ids, each.instrument.pk)) for each in compared],
        "rows": [
            (name, title, name in differences)
            for name, title in ROWS.items()
            if name in differences or not only
        ],
        "only_differences": only,
        "ids": ids,
        "is_cut": len(named) > MOST_COMPARED,
        "missing": len(ids) - len(compared),
        "payer": payer,
        "payers": payers,
        "minutes": minutes,
        "lengths": LENGTHS,
    }
    return render(request, "bookings/browsing/compare.html", context)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Choose the instrument of the address to compare, choose it no longer, or none; back to the
    page. For htmx the button, and how many are chosen."""
    chosen, problem = _chosen(request), ""
    instrument_id = as_uuid(request.GET.get("id", ""))
    act = request.POST.get("act")
    if act == "clear":
        chosen = []
    elif instrument_id is None:
        raise NotFound
    elif act == "remove":
        chosen = [pk for pk in chosen if pk != instrument_id]
    else:
        try:
            chosen = with_chosen(chosen, instrument_id)
        except WrongState as refused:
            problem = refusal_text(refused)
    request.session[CHOSEN] = [str(pk) for pk in chosen]
    if request.htmx and instrument_id:  # type: ignore[attr-defined]
        context = {
            "pk": instrument_id,
            "chosen": chosen,
            "choose_address": reverse("bookings:compare-choose"),
            "compare_problem": problem,
            "is_part": True,
        }
        return render(request, "bookings/browsing/keep.html#compare", context)
    if problem:
        messages.error(request, problem)
    elif act == "clear":
        messages.success(request, gettext("No instrument is chosen any more."))
    return redirect(page_to_return_to(request, request.POST.get("next", "")))


def _ids(texts: list[str]) -> list[UUID]:
    """Return the ids among texts, each once."""
    return list(dict.fromkeys(pk for text in texts if (pk := as_uuid(text))))


def _without(request: HttpRequest, ids: list[UUID], left_out: UUID) -> str:
    """Return the address of the same comparison without one of the instruments."""
    query = request.GET.copy()
    query.setlist("id", [str(pk) for pk in ids if pk != left_out])
    return f"?{query.urlencode()}"
