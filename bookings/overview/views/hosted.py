"""The bookings of instruments that the reader manages or operates."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.domain.roles import By
from accounts.forms import known_to
from accounts.permissions import require_somewhere
from accounts.selectors.organisations import regions
from accounts.views.pages import by_of, reads
from bookings.pricing.forms.bookings import HostedFilterForm
from bookings.pricing.selectors.bookings import (
    AT_WORK_BOOKINGS,
    HOSTED_BOOKINGS,
    OPERATED_BOOKINGS,
    load_prices,
    used_minutes,
)
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import RELEASED
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import manages, shown
from bookings.record.views.bookings import totals_of
from bookings.record.views.lists import ListPage
from instruments.register.selectors.registry import operated_by_name


def _shown(row: Reservation, by: By) -> Any:
    """Return a booking with its state, and the time for which it was booked and used."""
    one: Any = shown(row, by.now)
    one.is_released = one.shown_state in RELEASED
    one.booked, one.used = Period(row.start_at, row.end_at).minutes, used_minutes(row)
    return one


def _about(rows: list[Reservation], by: By) -> dict[str, Any]:
    load_prices(rows)
    return {"is_priced": True}


LIST = ListPage(
    "bookings/overview/hosted.html",
    HOSTED_BOOKINGS,
    shown=_shown,
    about=_about,
    totals=lambda rows, actor: totals_of(rows),
    number=lambda totals: int(totals["number"]),
)


def _about_some(rows: list[Reservation], by: By) -> dict[str, Any]:
    for row in rows:
        row.price, row.currency = None, ""  # type: ignore[attr-defined]
    load_prices(row for row in rows if manages(by.actor, row))
    return {"is_priced": True}


OPERATED = replace(LIST, listing=OPERATED_BOOKINGS, about=lambda rows, by: {"is_priced": False})
AT_WORK = replace(LIST, listing=AT_WORK_BOOKINGS, about=_about_some)


@reads
def hosted(request: HttpRequest) -> HttpResponseBase:
    """List the bookings of instruments that the reader manages, the latest start first, with the total time
    booked; those of instruments that the reader only operates are there without prices."""
    by = by_of(request)
    require_somewhere(by.actor, "operate-instruments")
    managed, operated = (by.actor.scope_where(f"{what}-instruments") for what in ("manage", "operate"))
    page = LIST if managed == operated else AT_WORK if managed else OPERATED
    form = HostedFilterForm(request.GET, instruments=operated_by_name(by.actor), regions=regions())
    known_to(form, by.actor)
    return page.answer(request, by, form=form, is_manager=managed == operated)
