"""Requests that wait for a manager's decision: the list, and a page for each with everything needed to
decide."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.views.pages import act, by_of, reads, writes
from bookings.catalogue.views.refusals import refusal_text
from bookings.pricing.forms.bookings import InstrumentFilterForm
from bookings.pricing.models import Quote
from bookings.pricing.selectors.bookings import REQUESTS
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import requests_to_decide
from bookings.record.views.lists import ListPage, wants_file
from bookings.reserving.forms.reservations import DecideForm, DecideManyForm
from bookings.reserving.selectors.requests import inbox, load_quotes, load_request
from bookings.reserving.services.reservations import requests_decide, reservation_decide
from bookings.samples.selectors.samples import load_of_booking
from instruments.register.selectors.registry import managed_by_name

MOST = 200  # in the list, the most urgent


LIST = ListPage(
    "bookings/reserving/requests.html",
    REQUESTS,
    orders={
        "start": _("Earliest first"),
        "-start": _("Latest first"),
        "requested": _("Longest waiting first"),
        "instrument": _("Instrument"),
        "person": _("Person"),
        "payer": _("Organisation"),
    },
)


@reads
def requests(request: HttpRequest) -> HttpResponseBase:
    """Show the inbox, the most urgent request first; also as a file. `of` is the request that is opened."""
    if wants_file(request):
        by = by_of(request)
        return LIST.answer(request, by, _requests(by), form=_form(request, by))
    return _page(request, of=request.GET.get("of", ""))


@writes
def decide(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Decide one request, then open the next one."""

    def work(by: By, data: dict[str, Any]) -> tuple[Reservation, UUID | None]:
        following = _following(request, by, reservation_id)
        decided = reservation_decide(
            by, reservation_id=reservation_id, approve=data["approve"], reason=data["reason"]
        )
        return decided, following

    def done(result: tuple[Reservation, UUID | None]) -> str:
        if result[0].state == "confirmed":
            text = gettext("Accepted. {person} is notified by mail.")
        else:
            text = gettext("Declined. {person} is notified by mail, with your reason.")
        return text.format(person=result[0].user)

    return act(
        request,
        partial(_page, request, of=str(reservation_id)),
        work,
        to=lambda result: reverse(
            "bookings:requests", query=_kept(request) | ({"of": result[1]} if result[1] else {})
        ),
        done=done,
        form=DecideForm(request.POST),
    )


@writes
def decide_many(request: HttpRequest) -> HttpResponse:
    """Decide several requests alike; those that could not be decided are named and stay in the list."""
    by = by_of(request)
    waiting = _waiting(request, by)[0]
    form = DecideManyForm(request.POST, waiting=waiting)
    if not form.is_valid():
        # A request that has changed meanwhile is no longer ticked: its new version is read first.
        ticked = [row.pk for row in waiting if f"{row.pk}:{row.version}" in request.POST.getlist("chosen")]
        of = request.GET.get("of", "")
        return _page(request, status=400, of=of, many=form, ticked=ticked)
    data = form.cleaned_data
    done, refused = requests_decide(
        by, requests=form.requests(), approve=data["approve"], reason=data["reason"]
    )
    if done and data["approve"]:
        text = ngettext("{n} request accepted.", "{n} requests accepted.", len(done))
        messages.success(request, text.format(n=len(done)))
    elif done:
        text = ngettext("{n} request declined.", "{n} requests declined.", len(done))
        messages.success(request, text.format(n=len(done)))
    by_id = {row.pk: row for row in waiting}
    for pk, error in refused:
        row = by_id[pk]
        messages.error(request, f"{row.user}, {row.instrument}: {refusal_text(error)}")
    return redirect(reverse("bookings:requests", query=_kept(request)))


def _kept(request: HttpRequest) -> dict[str, str]:
    """Return the filters of the list of requests, for the address of the next page."""
    names = ("instrument", "q", "since", "until", "sort")
    return {name: value for name in names if (value := request.GET.get(name))}


def _form(request: HttpRequest, by: By) -> InstrumentFilterForm:
    return InstrumentFilterForm(request.GET, instruments=managed_by_name(by.actor))


def _requests(by: By) -> QuerySet[Reservation]:
    require_somewhere(by.actor, "manage-instruments")
    return requests_to_decide(by.actor, by.now)


def _waiting(request: HttpRequest, by: By) -> tuple[list[Reservation], dict[str, Any]]:
    """Return the requests as the reader filtered them, and the context for the template."""
    form = _form(request, by)
    rows, working = LIST.narrowed(request, by, _requests(by), form)
    return list(inbox(rows)[:MOST]), working | {"filter_form": form}


def _following(request: HttpRequest, by: By, reservation_id: UUID) -> UUID | None:
    """Return the next request in the list, or the first one after the last; None if there is none."""
    rows, _working = LIST.narrowed(request, by, requests_to_decide(by.actor, by.now), _form(request, by))
    ids = list(rows.values_list("pk", flat=True)[:MOST])
    if reservation_id not in ids:
        return None
    at = ids.index(reservation_id)
    return next(iter(ids[at + 1 :] + ids[:at]), None)


def _payables(quotes: Iterable[Quote]) -> dict[str, Decimal]:
    """Sum up the payable amounts of requests, by currency."""
    sums: dict[str, Decimal] = {}
    for quote in quotes:
        sums[quote.currency] = sums.get(quote.currency, Decimal(0)) + quote.payable
    return sums


def _page(
    request: HttpRequest, *, status: int = 200, of: str = "", refused: Refused | None = None, **forms: Any
) -> HttpResponse:
    by = by_of(request)
    rows, working = _waiting(request, by)
    quotes = load_quotes(rows)
    at = next((n for n, row in enumerate(rows) if str(row.pk) == of), None)
    chosen = rows[at or 0] if rows else None
    context = {
        "rows": [(row, quotes.get(row.pk)) for row in rows],
        "minutes": sum(Period(row.start_at, row.end_at).minutes for row in rows),
        "payables": _payables(quotes.values()),
        "most": MOST,
        "item": load_request(chosen, quotes.get(chosen.pk), by.now) if chosen else None,
        "items": load_of_booking(by.actor, chosen, by.now)[0] if chosen else [],
        "is_chosen": at is not None,
        "number": (at or 0) + 1,
        "before": rows[at - 1] if at else None,
        "after": rows[(at or 0) + 1] if (at or 0) + 1 < len(rows) else None,
        "now": by.now,
        "refused": refusal_text(refused),
        **working,
        **forms,
    }
    return render(request, "bookings/reserving/requests.html", context, status=status)
