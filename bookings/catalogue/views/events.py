"""Turn entries into events of the calendar library, in the wall-clock time of one zone and in the reader's
language."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.letters.words import is_chinese, zone_name
from accounts.views.pages import address_of
from bookings.availability.models import Closure
from bookings.catalogue.selectors.calendars import CalendarEntry, Row, Week
from bookings.record.domain.periods import Period, clip, subtract, union
from bookings.record.models import Reservation
from instruments.policy.messages import GROUP_LABELS

MOVABLE = frozenset({"requested", "confirmed"})
STRETCHABLE = MOVABLE | {"in_use"}


def wall(at: datetime, zone: ZoneInfo) -> str:
    """Return the local time of a zone without its offset, as the calendar draws it."""
    return at.astimezone(zone).isoformat(timespec="seconds")[:19]


def walls(period: Period, zone: ZoneInfo) -> dict[str, str]:
    """Return start and end as local times; if a clock change would put the end before the start, the length
    is kept."""
    start, end = wall(period.start, zone), wall(period.end, zone)
    if end <= start:
        first = datetime.fromisoformat(start)
        end = (first + min(period.length, timedelta(days=1))).isoformat()
    return {"start": start, "end": end}


def offset_of(zone: ZoneInfo, now: datetime) -> str:
    """Return the present offset of a zone, `+08:00`, by which the calendar determines today."""
    text = now.astimezone(zone).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def zone_names(*zones: str) -> dict[str, str]:
    """Return the names of the zones, for the script that writes them beside times."""
    return {zone: zone_name(zone) for zone in zones}


def locale() -> str:
    """Return the language of the page as browsers name it."""
    return "zh-CN" if is_chinese() else "en-GB"


def local_name(name: str, name_zh: str) -> str:
    """Return the name in the language of the page, if there is one."""
    return (is_chinese() and name_zh) or name


def instant(at: datetime) -> str:
    """Return an instant in the form that query strings use: `2026-03-09T01:00:00Z`."""
    return at.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def labels(entry: CalendarEntry, *, is_manager: bool) -> tuple[str, str]:
    """Return the first line of an entry, and the text below it."""
    if entry.is_bid and is_manager:
        return gettext("Held for your bid"), ""
    if entry.is_busy:
        return gettext("Taken"), ""
    if entry.kind == "closure":
        return str(Closure.Kind(entry.closure_kind).label), local_name(entry.reason, entry.reason_zh)
    state = str(Reservation.State(entry.state).label)
    if entry.is_held:
        return gettext("Held for you"), gettext("continue or release")
    if entry.is_own and not is_manager:
        return gettext("Yours"), state
    return entry.person, f"{local_name(*entry.organisation)} · {state}"


def purpose_of(entry: CalendarEntry) -> str:
    """Return the purpose of a booking in words, and its number of samples."""
    if not entry.purpose:
        return ""
    said = str(Reservation.Purpose(entry.purpose).label)
    if entry.purpose_text:
        said = f"{said}: {entry.purpose_text}"
    if entry.samples:
        number = ngettext("{n} sample", "{n} samples", entry.samples).format(n=entry.samples)
        said = f"{said} · {number}"
    return said


def row_events(
    row: Row, zone: ZoneInfo, span: Period, now: datetime, *, is_manager: bool
) -> list[dict[str, Any]]:
    """Return the events of an instrument, for its row of the board."""
    events: list[dict[str, Any]] = []
    for entry in row.entries:
        ids = [lane_of(row, unit) for unit in entry.units if unit <= row.units]
        events += entry_events(entry, zone, span, now, ids, is_manager=is_manager)
    return events


def shut_events(row: Row, zone: ZoneInfo, span: Period) -> list[dict[str, Any]]:
    """Return background events for the times outside opening hours."""
    return [
        {"display": "background", "classNames": ["is-shut"]} | walls(period, zone)
        for period in subtract([span], row.opened)
    ]


def lane_of(row: Row, unit: int) -> str:
    """Return the id of the board's line on which a unit is drawn."""
    return str(row.instrument.pk) if row.units == 1 else f"{row.instrument.pk}:{unit}"


def entry_events(
    entry: CalendarEntry,
    zone: ZoneInfo,
    span: Period,
    now: datetime,
    resource_ids: list[str],
    *,
    is_manager: bool,
) -> list[dict[str, Any]]:
    """Return an entry as one event, with its buffers in minutes; none if only the buffers lie in the span."""
    shown = clip(entry.period.start, entry.period.end, span)
    if shown is None:
        return []
    first, second = labels(entry, is_manager=is_manager)
    extended: dict[str, Any] = {
        "first": first,
        "second": second,
        "purpose": purpose_of(entry),
        "from": instant(entry.period.start),
        "until": instant(min(entry.period.end, span.end)),
    }
    event: dict[str, Any] = {"title": first, "extendedProps": extended}
    if resource_ids:
        event["resourceIds"] = resource_ids
    if entry.blocked != entry.period:
        before = (entry.period.start - entry.blocked.start) // timedelta(minutes=1)
        after = (entry.blocked.end - entry.period.end) // timedelta(minutes=1)
        event["styles"] = [f"--before:{before}", f"--after:{after}"]
    if entry.kind == "closure":
        event |= walls(shown, zone) | {"classNames": ["is-closure"], "editable": False}
        if entry.id is not None:
            event["id"] = str(entry.id)
            extended["url"] = address_of("bookings:closures", entry.instrument_id)
        else:
            event["display"] = "background"
    elif entry.is_bid and is_manager:
        event |= walls(shown, zone) | {"classNames": ["is-held"], "editable": False}
        extended["url"] = reverse("bookings:bids")
    elif entry.id is None:
        event |= walls(shown, zone) | {"display": "background", "classNames": ["is-busy"]}
    else:
        may_change = entry.is_own or is_manager
        lasts = entry.period.end > now
        event |= walls(entry.period, zone) | {
            "id": str(entry.id),
            "classNames": [f"is-{entry.state}", *(["is-own"] if entry.is_own else [])],
            "startEditable": may_change and lasts and entry.state in MOVABLE,
            "durationEditable": may_change and lasts and entry.state in STRETCHABLE,
        }
        extended["url"] = address_of("bookings:reservation", entry.id)
        if entry.is_held:
            extended["url"] = form_of(entry.instrument_id, entry.period, entry.payer)
        if is_manager and entry.state == "requested":
            extended["answer"] = reverse("bookings:requests", query={"of": entry.id})
        extended["move"] = address_of("bookings:move", entry.id)
    return [event]


def form_of(instrument_id: UUID, period: Period, payer: str) -> str:
    """Return the address of the booking form for a period, which continues with a hold of that period."""
    query = {"start": instant(period.start), "minutes": period.minutes, "organisation": payer}
    return reverse("bookings:book", args=[instrument_id], query=query)


def week_events(week: Week, zone: ZoneInfo, span: Period, now: datetime) -> list[dict[str, Any]]:
    """Return the events of an instrument's week as one person sees it. If it has several units, bookings of
    others are shown only where no unit is free."""
    events = shut_events(week.row, zone, span)
    events += [
        {"display": "background", "classNames": ["is-free"]} | walls(period, zone)
        for period in union(week.free)
    ]
    events += [
        {
            "display": "background",
            "classNames": ["is-kept"],
            "title": str(GROUP_LABELS[rule.who]),
            "extendedProps": {"first": str(GROUP_LABELS[rule.who]), "second": ""},
        }
        | walls(period, zone)
        for period, rule in week.kept
    ]
    several = week.row.units > 1
    for entry in week.row.entries:
        if several and (entry.is_busy or (len(entry.units) < week.row.units and not entry.is_own)):
            continue
        events += entry_events(entry, zone, span, now, [], is_manager=False)
    if several:
        events += [
            {
                "display": "background",
                "classNames": ["is-busy"],
                "title": gettext("All taken"),
                "extendedProps": {"first": gettext("All taken"), "second": ""},
            }
            | walls(period, zone)
            for period, kind in week.calendar.busy(span)
            if kind != "closure"
        ]
    return events


def instants(periods: Iterable[Period]) -> list[list[str]]:
    return [[instant(p.start), instant(p.end)] for p in periods]
