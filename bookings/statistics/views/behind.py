"""Pages of the rows behind a number of the hours that is not made of days: unmet demand, sessions of people,
charges, bookings."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.views.pages import reads
from bookings.hours.selectors.behind import DEMAND, FLOWS, Behind
from bookings.hours.selectors.bookings import booking_rows
from bookings.hours.selectors.scope import reads_hours, scope_for
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import csv_answer, wants_csv
from bookings.statistics.selectors.demand import demand_rows
from bookings.statistics.selectors.flows import flow_rows
from bookings.statistics.selectors.tables import TableQuery
from bookings.statistics.views.hours import PER_PAGE, context_of, query_of

TITLES = {
    "refused": _("Refused: nothing free"),
    "waited": _("Waited without success"),
    "search": _("Searched without results"),
    "wanted": _("Unmet demand"),
    "users": _("Sessions, by person"),
    "money": _("Charges"),
    "booked": _("Bookings"),
    "cancelled_late": _("Bookings cancelled late"),
    "not_used": _("Booked and not used"),
}


@reads
@from_replica
def behind(request: HttpRequest) -> HttpResponseBase:
    """Show the rows of which a number other than of hours is the sum."""
    actor = actor_of(request.user)
    if not reads_hours(actor):
        raise NotPermitted
    form, query = query_of(request, actor)
    data = form.cleaned_data if form.is_valid() else {}
    of = data.get("of") or "booked"
    if wants_csv(request):
        cells = _cells(actor, of, query, data)
        return csv_answer(request, f"hours-{of}", HEADS, cells, has_figures=True)
    after = data.get("after") or "0"
    skipped = int(after) if after.isdecimal() and len(after) < 10 else 0
    part = _rows(actor, of, query, data, most=PER_PAGE, skipped=skipped)
    here = "demand" if of in DEMAND else "flows" if of in FLOWS else "hours"
    context = context_of(request, actor, form, query, here) | {
        "of": of,
        "heading": TITLES[of],
        "part": part,
        "currency": data.get("currency", ""),
        "labels": TITLES,
        "next": skipped + PER_PAGE if skipped + PER_PAGE < part.number else "",
        "is_first": skipped == 0,
    }
    return render(request, "bookings/statistics/hours_behind.html", context)


HEADS = (
    "kind", "from", "until", "instrument", "instrument_zh", "organisation", "organisation_zh",
    "person", "person_number", "minutes_or_amount", "booked_ahead_hours", "note", "booking",
    "charge",
)  # fmt: skip
CHUNK = 10_000


def _cells(actor: Actor, of: str, query: TableQuery, data: dict[str, Any]) -> Iterator[tuple[Cell, ...]]:
    """Yield, for a file, the cells of all rows behind a number, reading some rows at a time."""
    skipped, number = 0, 1
    while skipped < number:
        part = _rows(actor, of, query, data, most=CHUNK, skipped=skipped)
        number = part.number
        skipped += CHUNK
        for row in part.rows:
            zone = ZoneInfo(row.zone)
            yield (
                row.kind,
                row.starts_at.astimezone(zone).isoformat(),
                row.ends_at.astimezone(zone).isoformat() if row.ends_at else "",
                *row.instrument,
                *row.organisation,
                row.person,
                row.nth,
                row.amount,
                row.lead_hours,
                row.note,
                str(row.reservation_id or ""),
                str(row.charge_id or ""),
            )


def _rows(
    actor: Actor, of: str, query: TableQuery, data: dict[str, Any], *, most: int, skipped: int
) -> Behind:
    days: dict[str, Any] = {"since": query.since, "until": query.until}
    page: dict[str, Any] = {"most": most, "skipped": skipped}
    if of in DEMAND:
        return demand_rows(
            actor,
            **days,
            technique=data.get("technique", ""),
            region=data.get("payer_region", ""),
            kind="" if of == "wanted" else of,
            **page,
        )
    if of in FLOWS:
        return flow_rows(
            actor,
            **days,
            measure=of,
            payer=data.get("payer_region", ""),
            host=data.get("host_region", ""),
            currency=data.get("currency", ""),
            **page,
        )
    scope = scope_for(actor, query.narrowed)
    return booking_rows(actor, scope.instruments, **days, counted=of, **page)
