"""Choose instruments to compare, and show them side by side."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import DateTimeField
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
from bookings.record.domain.periods import Period
from bookings.record.forms.fields import of_our_time
from instruments.register.models import Instrument
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.parameters import MOST_REQUIREMENTS, Requirement, requirements_in, spec_of
from instruments.vocabulary.selectors.needs import load_parameters

CHOSEN = "compared"  # of the session
LENGTHS = (30, 60, 120, 180, 240, 360, 480)
LONGEST = 44_640  # minutes
WINDOW = ("free_from", "free_until")
KEPT = ("q", "spec", "service_mode", *WINDOW)  # by the form of the page itself
LONGEST_WINDOW = timedelta(days=60)
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


def chosen_of(request: HttpRequest, required: Iterable[Requirement] = (), **wished: object) -> dict[str, Any]:
    """Return the context about comparing for pages with instruments: the reader's choice, the address that
    changes it, and the wishes that go with it: those of the page's address or else those `wished`, and what
    is `required`."""
    query = request.GET.copy()
    for name, value in wished.items():
        query.setdefault(name, str(value))
    query.setlist("spec", [*query.getlist("spec"), *map(spec_of, required)])
    return {
        "chosen": _chosen(request),
        "choose_address": reverse("bookings:compare-choose"),
        "wishes": _wishes(query),
    }


def wishes_of(earliest: datetime, latest: datetime, minutes: int, modes: Sequence[str]) -> dict[str, str]:
    """Return the window, the length and the only way of working of a need as wishes of a comparison, in the
    reader's time zone."""
    window = {
        name: f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"
        for name, moment in zip(WINDOW, (earliest, latest), strict=True)
    }
    return {**window, "minutes": str(minutes), "service_mode": modes[0] if len(modes) == 1 else ""}


def _window(query: QueryDict, now: datetime) -> Period | None:
    """Return the period within which an address wants a time, from now on; None without a proper one."""
    field = DateTimeField(required=False)
    try:
        first, last = (field.clean(query.get(name, "")) for name in WINDOW)
        if not first or not last:
            return None
        start, end = max(of_our_time(first), now), of_our_time(last)
    except ValidationError:
        return None
    return Period(start, min(end, start + LONGEST_WINDOW)) if start < end else None


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
    is_length = given.isascii() and given.isdecimal() and len(given) < 6 and 0 < int(given) <= LONGEST
    minutes = int(given) if is_length else 60
    ids = named[:MOST_COMPARED]
    mode = request.GET.get("service_mode", "")
    mode = mode if mode in Instrument.ServiceMode.values else ""
    window = _window(request.GET, now)
    compared = load_compared(actor, ids, payer, now, minutes=minutes, mode=mode, span=window)
    differences = differing(compared)
    only = request.GET.get("only") == "differences"
    required = _required(request.GET)
    common = [
        m for m in Instrument.ServiceMode if all(m in each.instrument.service_modes for each in compared)
    ]
    has_choice = len(common) > 1 and (not mode or mode in common)
    modes = [(m.value, m.label) for m in common] if has_choice else []
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
        "wishes": [
            (name, value)
            for name in KEPT
            if not (modes and name == "service_mode")
            for value in request.GET.getlist(name)
        ],
        "ids": ids,
        "is_cut": len(named) > MOST_COMPARED,
        "missing": len(ids) - len(compared),
        "payer": payer,
        "payers": payers,
        "minutes": minutes,
        "service_mode": mode,
        "modes": modes,
        "lengths": sorted({*LENGTHS, minutes}),
        "window": window,
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
    """Return the ids of instruments that texts contain, without duplicates."""
    return list(dict.fromkeys(pk for text in texts if (pk := as_uuid(text))))


def _without(request: HttpRequest, ids: list[UUID], left_out: UUID) -> str:
    """Return the address of the same comparison without one of the instruments."""
    query = request.GET.copy()
    query.setlist("id", [str(pk) for pk in ids if pk != left_out])
    return f"?{query.urlencode()}"
