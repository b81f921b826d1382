"""The page that says why instruments stood idle."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import actor_of
from accounts.replica import from_replica
from accounts.views.pages import reads
from bookings.availability.messages import refused_by
from bookings.hours.domain.idle import COLUMNS, REASONS, Idle, moment_of
from bookings.record.adapters.definitions import MEANINGS, NAMES
from bookings.statistics.selectors import idle as selectors
from bookings.statistics.views.hours import context_of, page_at, query_of
from instruments.register.selectors.registry import instrument_by_id

PER_PAGE = selectors.AT_ONCE
PARTS = 100


@reads
@from_replica
def idle(request: HttpRequest) -> HttpResponse:
    """Show the standby of each instrument by the reason for it; of one instrument also the times."""
    actor = actor_of(request.user)
    form, query = query_of(request, actor, by="instrument")
    page = page_at(request)
    # Of one instrument, the pages are those of its times.
    skipped = 0 if "instrument" in query.narrowed else page.skipped // page.most * PER_PAGE
    days: dict[str, Any] = {"since": query.since, "until": query.until}
    found = selectors.idle_page(actor, narrowed=query.narrowed, **days, skipped=skipped)
    reason = request.GET.get("reason", "")
    reason = reason if reason in REASONS else ""
    context = context_of(request, actor, form, query, "idle") | {
        "rows": [(row, [(name, row.reasons[name]) for name in REASONS]) for row in found.rows],
        "total": [(name, sum(row.reasons[name] for row in found.rows)) for name in REASONS],
        "standby": sum(row.standby for row in found.rows),
        "codes": _codes(found.rows),
        "words": [(name, NAMES[column], MEANINGS[column]) for name, column in COLUMNS.items()],
        "page": Paginator(range(found.number), PER_PAGE).get_page(skipped // PER_PAGE + 1),
        "reason": reason,
    }
    if "instrument" in query.narrowed:
        row = instrument_by_id(actor, context["narrowed"]["instrument"].pk) if context["narrowed"] else None
        parts = selectors.idle_parts(actor, instrument=row.pk, **days) if row else []
        zone = row.facility.zone if row else ZoneInfo("UTC")
        chosen = [part for part in parts if not reason or part.reason == reason]
        part_page = Paginator(chosen, PARTS).get_page(request.GET.get("page"))
        context |= {
            "instrument": row,
            "page": part_page,
            "parts": [_part(part, zone) for part in part_page.object_list],
            "reasons": [(name, NAMES[column]) for name, column in COLUMNS.items()],
        }
    return render(request, "bookings/statistics/hours_idle.html", context)


def _codes(rows: list[selectors.IdleRow]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for row in rows:
        for code, minutes in row.codes.items():
            sums[code] = sums.get(code, 0) + minutes
    return [(refused_by(code), minutes) for code, minutes in sorted(sums.items(), key=lambda pair: -pair[1])]


def _part(part: Idle, zone: ZoneInfo) -> dict[str, Any]:
    start, end = (moment_of(minute).astimezone(zone) for minute in (part.start, part.end))
    is_short = (end - timedelta(minutes=1)).date() == start.date()
    return {
        "time": f"{start:%H:%M}–{f'{end:%H:%M}' if is_short else f'{end:%Y-%m-%d %H:%M}'}",
        "unit": part.unit,
        "reason": NAMES[COLUMNS[part.reason]],
        "code": refused_by(part.code) if part.code else "",
        "minutes": part.minutes,
        "day": start.date(),
    }
