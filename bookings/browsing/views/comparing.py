"""Choose instruments to compare, and show them side by side."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
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
from accounts.views.pages import chooses
from bookings.browsing.domain.comparing import MOST_COMPARED, with_chosen
from bookings.browsing.forms.catalogue import SpecsField
from bookings.browsing.selectors.comparing import differing, load_compared, spec_rows
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text
from instruments.register.models import Instrument
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.parameters import MOST_REQUIREMENTS, Requirement, requirements_in, spec_of
from instruments.vocabulary.selectors.needs import load_parameters

CHOSEN = "compared"  # of the session
LENGTHS = (30, 60, 120, 180, 240, 360, 480)
KEPT = ("q", "spec", "service_mode")  # by the form of the page itself
WISHES = (*KEPT, "minutes", "organisation")
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
    "rating": _("Rating by users"),
    "calibrated": _("Last calibration"),
    "record": _("Quality of the record"),
}


def chosen_of(request: HttpRequest, required: Iterable[Requirement] = ()) -> dict[str, Any]:
    """Return the context about comparing for pages with instruments: the reader's choice, the address that
    changes it, and the wishes that go with it: those of the page's address, and what is `required`."""
    query = request.GET.copy()
    query.setlist("spec", [*query.getlist("spec"), *map(spec_of, required)])
    return {
        "chosen": _chosen(request),
        "choose_address": reverse("bookings:compare-choose"),
        "wishes": _wishes(query),
    }


def _wishes(query: QueryDict) -> str:
    """Return the part of a query string that a comparison understands."""
    return urlencode([(name, value) for name in WISHES for value in query.getlist(name) if value])


def _required(query: QueryDict) -> Sequence[Requirement]:
    """Return what an address requires, as filters or else in the words of the search."""
    try:
        if specs := SpecsField(required=False).clean(query.getlist("spec")):
            return specs
    except ValidationError:
        return ()
    text = query.get("q", "")[:LONGEST_NEED]
    return [each.requirement for each in requirements_in(text, load_parameters())][:MOST_REQUIREMENTS]


def _chosen(request: HttpRequest) -> list[UUID]:
    return _ids(request.session.get(CHOSEN, ()))


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Compare the instruments that the address names, or else those that the reader has chosen; at most
    four."""
    now, actor = timezone.now(), actor_of(request.user)
    payer, payers = payer_of(actor, request.GET.get("organisation"))
    named = _ids(request.GET.getlist("id")) or _chosen(request)
    given = request.GET.get("minutes", "")
    minutes = int(given) if given in map(str, LENGTHS) else 60
    ids = named[:MOST_COMPARED]
    mode = request.GET.get("service_mode", "")
    mode = mode if mode in Instrument.ServiceMode.values else ""
    compared = load_compared(actor, ids, payer, now, minutes=minutes, mode=mode)
    differences = differing(compared)
    only = request.GET.get("only") == "differences"
    required = _required(request.GET)
    context = {
        "compared": compared,
        "columns": [(each, _without(request, ids, each.instrument.pk)) for each in compared],
        "rows": [
            (name, title, name in differences)
            for name, title in ROWS.items()
            if name in differences or not only
        ],
        "only_differences": only,
        "specs": [row for row in spec_rows(compared, required) if row.differs or row.requirement or not only],
        "wishes": [(name, value) for name in KEPT for value in request.GET.getlist(name)],
        "ids": ids,
        "is_cut": len(named) > MOST_COMPARED,
        "missing": len(ids) - len(compared),
        "payer": payer,
        "payers": payers,
        "minutes": minutes,
        "service_mode": mode,
        "lengths": LENGTHS,
    }
    return render(request, "bookings/browsing/compare.html", context)


@require_POST
@chooses("add", "remove", "clear")
def choose(request: HttpRequest, choice: str) -> HttpResponse:
    """Add the instrument in the address to the comparison, remove it, or clear the choice; then return to the
    page. htmx gets the button, and how many instruments are chosen."""
    chosen, problem = _chosen(request), ""
    instrument_id = as_uuid(request.GET.get("id", ""))
    if choice == "clear":
        chosen = []
    elif instrument_id is None:
        raise NotFound
    elif choice == "remove":
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
            "wishes": _wishes(QueryDict(request.POST.get("wishes", "")[:4000])),
            "compare_problem": problem,
            "is_part": True,
        }
        return render(request, "bookings/browsing/keep.html#compare", context)
    if problem:
        messages.error(request, problem)
    elif choice == "clear":
        messages.success(request, gettext("No instrument is selected."))
    return redirect(page_to_return_to(request, request.POST.get("next", "")))


def _ids(texts: list[str]) -> list[UUID]:
    """Return the ids among texts, without duplicates."""
    return list(dict.fromkeys(pk for text in texts if (pk := as_uuid(text))))


def _without(request: HttpRequest, ids: list[UUID], left_out: UUID) -> str:
    """Return the address of the same comparison without one of the instruments."""
    query = request.GET.copy()
    query.setlist("id", [str(pk) for pk in ids if pk != left_out])
    return f"?{query.urlencode()}"
