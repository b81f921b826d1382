"""The week of one instrument, as a calendar and as a list of days."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.catalogue.forms.periods import PeriodForm, with_start
from bookings.catalogue.selectors.calendars import Week, load_week
from bookings.catalogue.views.events import form_of, instants, locale, offset_of, week_events, zone_names
from bookings.pricing.selectors.fees import Backing
from bookings.record.domain.periods import Period, clip
from bookings.record.models import Reservation
from instruments.policy.messages import GROUP_LABELS
from instruments.reading.domain.clock import day_span, local_date
from instruments.register.models import Instrument

DAYS = 7


def week_of(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    request: HttpRequest,
    now: datetime,
    *,
    backing: Backing | None = None,
    page: str = "",
    moving: Reservation | None = None,
) -> dict[str, Any]:
    """Return context with seven local days: the starts that a booking of some length may take, the price of
    the first, and what is taken. `backing`: the payer's agreements and vouchers, if known. `page`: the
    address of the page whose form the calendar fills in, and which shows another week; `moving`: the booking
    that the form moves, whose time then counts as free."""
    zone = instrument.facility.zone
    today = local_date(zone, now)
    data = request.POST or request.GET
    day = data.get("week") or _day_chosen(data, zone, today)
    if moving and not day:
        day = local_date(zone, moving.start_at).isoformat()
    first = _date(day, today)
    span = Period(day_span(zone, first)[0], day_span(zone, first + timedelta(days=DAYS - 1))[1])
    given = data.get("minutes", "")
    minutes = int(given) if given.isdecimal() and len(given) < 7 else None
    if moving and minutes is None:
        minutes = Period(moving.start_at, moving.end_at).minutes
    mode = asked_mode(data, instrument)
    week = load_week(
        actor, instrument, payer, span, now, minutes=minutes, mode=mode, backing=backing, moving=moving
    )
    if week is None:
        return {"days": [], "zone": zone.key}
    policy = week.calendar.policy
    reader_zone = str(timezone.get_current_timezone())
    return {
        "days": _days(week, zone, first, today),
        "zone": zone.key,
        "minutes": week.minutes,
        "service_mode": mode,
        "next_quote": week.quote,
        "lengths": sorted({*policy.lengths, week.minutes}),
        "week": first,
        "next_week": first + timedelta(days=DAYS),
        "last_week": max(today, first - timedelta(days=DAYS)) if first > today else None,
        "policy": policy,
        "horizon": policy.horizon_for(week.price_group),
        "slot_page": page,
        "setup": {
            "zone": zone.key,
            "readerZone": reader_zone,
            "zoneNames": zone_names(zone.key, reader_zone),
            "locale": locale(),
            "offset": offset_of(zone, now),
            "first": first.isoformat(),
            "days": DAYS,
            "slot": policy.slot_minutes,
            "shortest": policy.min_minutes,
            "longest": policy.max_minutes,
            "usual": week.minutes,
            "choose": "" if page else reverse("bookings:choose", args=[instrument.pk]),
            "week": page or reverse("bookings:week", args=[instrument.pk]),
            "moving": str(moving.pk) if moving else "",
            "organisation": payer.code if payer else "",
            "free": instants(week.free),
            "windows": instants(Period(w.opens_at, w.closes_at) for w in week.calendar.windows),
            "events": week_events(week, zone, span, now),
        },
    }


def asked_mode(data: QueryDict, instrument: Instrument) -> str:
    """Return the way of working that an address or a form names; empty if the instrument does not offer
    it."""
    mode = data.get("service_mode", "")
    return mode if mode in instrument.service_modes else ""


def _days(week: Week, zone: ZoneInfo, first: date, today: date) -> list[dict[str, Any]]:
    """Return for each day of the list its free starts, what is taken, and the reader's own bookings; holds
    come with the address of the form that continues them."""
    by_day: dict[date, list[datetime]] = {}
    for start in week.starts:
        by_day.setdefault(local_date(zone, start), []).append(start)
    days = []
    for offset in range(DAYS):
        day = first + timedelta(days=offset)
        within = Period(*day_span(zone, day))
        busy = week.calendar.busy(within)
        opened = week.calendar.opened(within)
        own = [
            (e, form_of(e.instrument_id, e.period, e.payer) if e.is_held else "")
            for e in week.row.entries
            if e.is_own and e.period.meets(within)
        ]
        days.append(
            {
                "date": day,
                "is_today": day == today,
                "starts": by_day.get(day, []),
                "is_open": bool(opened),
                "is_closed": any(kind == "closure" for _, kind in busy),
                "own": own,
                "kept": [
                    (part, GROUP_LABELS[rule.who])
                    for period, rule in week.kept
                    if (part := clip(period.start, period.end, within))
                ],
                "taken": [
                    (part, kind)
                    for period, kind in busy
                    for opening in opened
                    if (part := clip(period.start, period.end, opening))
                    and not any(e.blocked.contains(part) for e, _ in own)
                ],
            }
        )
    return days


def _day_chosen(data: QueryDict, zone: ZoneInfo, today: date) -> str:
    """Return the local day of the chosen time; empty if the list of this week shows it."""
    form = PeriodForm(with_start(data, zone))
    if not form.is_valid():
        return ""
    day = local_date(zone, form.cleaned_data["start"])
    return "" if day < today + timedelta(days=DAYS) else day.isoformat()


def _date(given: str | None, today: date) -> date:
    try:
        day = date.fromisoformat(given or "")
    except ValueError:
        return today
    return min(max(day, today), today + timedelta(days=760))
