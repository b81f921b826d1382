"""Load what occupies instruments in a span, as far as the reader may see it: the week of one instrument, the
board of many, and a person's own bookings."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.prepared import Prepared
from bookings.availability.domain.availability import CLOSURE, RESERVATION, Block, Calendar, outside_group
from bookings.availability.domain.calendars import bookable
from bookings.availability.domain.group_hours import windows_of
from bookings.availability.models import Occupancy
from bookings.availability.selectors import availability
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.catalogue import load_cards, served_starts
from bookings.catalogue.selectors.units import units_of
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.selectors.fees import Backing, PriceRequest, load_backing, price_of, terms_on
from bookings.pricing.selectors.samples import number_of_samples
from bookings.record.domain.periods import Period, clip, intersect, union
from bookings.record.domain.reservations import OCCUPYING, SESSION_LEFT_OPEN
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import own_reservations, visible_among
from instruments.opening.domain.opening import merged
from instruments.opening.models import OpenWindow
from instruments.opening.selectors.opening import load_windows
from instruments.policy.domain.policies import GroupHours
from instruments.register.models import Instrument
from instruments.register.selectors.registry import managed_instruments
from instruments.training.models import CourseSession

TAKEN_BY_OWNER = ("own-use", "training")  # kinds of closures in which the instrument is in use
# States a calendar shows; those that were released take no time.
SHOWN = (*sorted(OCCUPYING), "completed", "no_show")
_NAMES = (
    "host__name", "host__name_zh", "instrument__name", "instrument__name_zh",
    "instrument__facility__name", "instrument__facility__name_zh",
    "instrument__facility__time_zone",
)  # fmt: skip


@dataclass(frozen=True)
class CalendarEntry:
    """A reservation or closure that occupies units of an instrument.

    kind: reservation or closure; blocked: with buffers; period: without; state: of a reservation; reason: the
    kind of a closure, and for managers its reason. An entry that the reader may not see has no id, state or
    names: it is only busy time. samples: the number given; is_own: the reader made it or it is for them, and
    is_person says which; payer: the code of the organisation; expires_at: the end of a hold; held_for: what
    the time is kept for, for who manages the instrument.
    """

    instrument_id: UUID
    kind: str
    units: tuple[int, ...]
    period: Period
    blocked: Period
    id: UUID | None = None
    state: str = ""
    closure_kind: str = ""
    reason: str = ""
    reason_zh: str = ""
    person: str = ""
    organisation: tuple[str, str] = ("", "")
    purpose: str = ""
    purpose_text: str = ""
    samples: int = 0
    is_own: bool = False
    is_person: bool = False
    payer: str = ""
    expires_at: datetime | None = None
    held_for: str = ""

    @property
    def is_bid(self) -> bool:
        """Return whether the time is kept for a bid of the reader's own organisation."""
        return self.held_for == Reservation.HeldFor.BID

    @property
    def is_held(self) -> bool:
        """Return whether it is a hold of the reader, who may continue with the form or release it."""
        return self.is_own and self.state == Reservation.State.HELD

    def is_over(self, now: datetime) -> bool:
        """Return whether it has ended; a booking in use has not, even after its reserved end."""
        return self.period.end <= now and self.state != Reservation.State.IN_USE

    def is_now(self, now: datetime) -> bool:
        """Return whether it takes the instrument at this moment: it is in use, even before its start or after
        its end, or its time has come."""
        is_its_time = self.period.start <= now < self.period.end
        return is_its_time or self.state == Reservation.State.IN_USE

    @property
    def is_busy(self) -> bool:
        """Return whether the reader may see only that the time is taken."""
        return self.kind == RESERVATION and self.id is None


@dataclass(frozen=True)
class Row:
    """An instrument's calendar in a span: its merged opening windows, and the entries that occupy it, by
    start."""

    instrument: Instrument
    units: int
    opened: tuple[Period, ...]
    entries: tuple[CalendarEntry, ...]


@dataclass(frozen=True)
class Week:
    """A row with the calendar for the rules, for the price group of its first day.

    starts: where a booking of the requested length may begin; quote: what the first of them would cost; free:
    spans that can be booked completely, by all rules, in bookings of at least the shortest length. Spans of
    different units may overlap: a period is free if one of them contains it. kept: opening hours reserved for
    groups that the reader does not belong to, with the rules.
    """

    row: Row
    calendar: Calendar
    minutes: int
    price_group: str
    starts: tuple[datetime, ...]
    free: tuple[Period, ...]
    quote: Quote | None
    kept: tuple[tuple[Period, GroupHours], ...] = ()


def load_board(actor: Actor, instruments: Sequence[Instrument], span: Period, now: datetime) -> list[Row]:
    """Return a row for each of the instruments (loaded with schedule and policy), in their order. It takes
    two statements, whatever their number."""
    entries = load_entries(actor, instruments, span, now)
    by_instrument: dict[UUID, list[CalendarEntry]] = {instrument.pk: [] for instrument in instruments}
    for entry in entries:
        by_instrument[entry.instrument_id].append(entry)
    opened: dict[UUID | None, tuple[Period, ...]] = {}
    rows = []
    for instrument in instruments:
        # Instruments with the same hours share their schedule: resolved once.
        if instrument.schedule_id not in opened:
            opened[instrument.schedule_id] = _opened(instrument, span)
        rows.append(
            Row(
                instrument=instrument,
                units=units_of(instrument),
                opened=opened[instrument.schedule_id],
                entries=tuple(by_instrument[instrument.pk]),
            )
        )
    return rows


def at_present(
    actor: Actor, now: datetime, of: Callable[[Actor], QuerySet[Instrument]] = managed_instruments
) -> QuerySet[Instrument]:
    """Return the published instruments that the actor manages, or those `of` another list, each with
    `present`: *down* (closed now, for other reasons than the owner's own use and training), *used*, *idle*
    (open, and nobody uses it), or empty outside its opening hours."""
    here = Occupancy.objects.filter(availability.live(now), instrument=OuterRef("pk"))
    # A session that nobody ended may be one of the day before.
    left_open = availability.to_range(Period(now - SESSION_LEFT_OPEN, now))
    closures = here.filter(span__contains=now, closure__isnull=False)
    used = here.filter(span__overlap=left_open, reservation__state=Reservation.State.IN_USE)
    opened = OpenWindow.objects.filter(schedule=OuterRef("schedule"), span__contains=now)
    present = Case(
        When(Exists(closures.exclude(closure__kind__in=TAKEN_BY_OWNER)), then=Value("down")),
        When(Exists(used), then=Value("used")),
        When(Exists(closures), then=Value("used")),
        When(Exists(opened), then=Value("idle")),
        default=Value(""),
    )
    rows = of(actor).filter(publication=Instrument.Publication.PUBLISHED)
    return rows.annotate(present=present)


def load_week(
    actor: Actor,
    instrument: Instrument,
    payer: Organisation | None,
    span: Period,
    now: datetime,
    *,
    minutes: int | None,
    mode: str = "",
    backing: Backing | None = None,
    moving: Reservation | None = None,
) -> Week | None:
    """Return an instrument (loaded with schedule, policy and facility) in a span, for bookings of a length
    (the usual one if `minutes` is not allowed) and a service mode; None if it has no policy and so cannot be
    booked. Without a mode the price is that of the first one. `backing`
    holds the payer's agreements and vouchers; without it there is no price. `moving` is a booking that is
    being moved: its time counts as free for its person. It takes two statements, and one more in each of
    these cases: the reader sees bookings of others, the payer is of another region and its backing is not
    given, the policy has quotas, the policy requires a certificate."""
    if not hasattr(instrument, "policy"):
        return None
    wide = availability.covered(instrument, span)
    entries = load_entries(actor, [instrument], wide, now)
    # The reader's own holds do not count as taken for the reader.
    left = moving.pk if moving else None
    blocks = [
        Block(e.blocked, u, e.kind)
        for e in entries
        if not e.is_held and (left is None or e.id != left)
        for u in e.units
    ]
    without = [left] if left else []
    booked = availability.load_booked([instrument], span, now, without=without).get(instrument.pk, ())
    own = [e.id for e in entries if e.id is not None and (e.is_held or e.id == left)]
    promises = availability.load_promises([instrument], now, without=own).get(instrument.pk)
    calendar = availability.calendar_of(instrument, wide, blocks, booked, promises)
    if calendar is None:
        return None
    policy = calendar.policy
    length = minutes if minutes and policy.allows(minutes) else policy.usual_minutes
    cards = load_cards([instrument.pk]).get(instrument.pk, [])
    is_priced = backing is not None
    if backing is None:
        backing = load_backing(payer, instruments=[instrument], grants=False)
    first = terms_on(instrument, backing, cards, span.start)
    person = moving.user_id if moving else actor.user_id
    asker = load_asker(instrument, payer, first, user_id=person, mode=mode or None)

    def begins(length: int) -> list[datetime]:
        within = span.padded(0, length)
        return served_starts(
            instrument, backing, cards, calendar, asker, within, now, minutes=length, mode=mode
        )

    starts = begins(length)
    quote = None
    if starts and is_priced:
        period = Period(starts[0], starts[0] + timedelta(minutes=length))
        terms = terms_on(instrument, backing, cards, period.start)
        terms = replace(terms, kept=calendar.rights(asker.organisation))
        quote = price_of(instrument, terms, PriceRequest(period, mode))
    least = policy.min_minutes
    shortest = starts if length == least else begins(least)
    covered_by_some = union(Period(s, s + timedelta(minutes=least)) for s in shortest)
    return Week(
        row=Row(
            instrument=instrument,
            units=policy.units,
            opened=_opened(instrument, span),
            entries=tuple(e for e in entries if e.blocked.meets(span)),
        ),
        calendar=calendar,
        minutes=length,
        price_group=first.price_group,
        starts=tuple(s for s in starts if s < span.end),
        free=tuple(p for b in bookable(calendar, wide) for p in intersect([b], covered_by_some)),
        quote=quote,
        kept=tuple(
            (part, rule)
            for period, rule in windows_of(policy.group_hours, calendar.zone, span)
            for part in intersect([period], calendar.opened(span))
            if any(outside_group([rule], calendar.zone, asker, part))
        ),
    )


def load_own(actor: Actor, span: Period) -> list[Reservation]:
    """Return the actor's own bookings that take time in a span, by start, with what a calendar shows of them.
    It takes one statement."""
    return list(
        own_reservations(actor)
        .filter(start_at__lt=span.end, end_at__gt=span.start, state__in=SHOWN)
        .select_related(None)
        .select_related("instrument__facility", "host")
        .only("start_at", "end_at", "state", "deadline_at", *_NAMES)
        .order_by("start_at", "id")
    )


def load_in_the_way(
    instrument: Instrument, units: Sequence[int], span: Period, now: datetime
) -> list[Reservation]:
    """Return the live reservations, with the people they are for, that a closure of the units (all if none
    are named) would overlap, by start. It takes one statement."""
    met = Occupancy.objects.filter(
        availability.live(now),
        instrument=instrument,
        span__overlap=availability.to_range(span),
        reservation__isnull=False,
    )
    if units:
        met = met.filter(unit__in=units)
    return list(
        Reservation.objects.filter(pk__in=met.values("reservation_id"), state__in=OCCUPYING)
        .select_related("user", "organisation")
        .order_by("start_at", "id")
    )


def load_entries(
    actor: Actor, instruments: Sequence[Instrument], span: Period, now: datetime
) -> list[CalendarEntry]:
    """Return the bookings and closures that occupy the instruments in a span, by start; each once, however
    many units it takes. One statement; two if the actor may see bookings of others."""
    scope = actor.scope_where("operate-instruments")
    hosts = {i.pk for i in instruments if scope.holds(i.organisation_id, i.facility_id, i.pk)}
    rows = _ENTRIES.rows(instruments=[i.pk for i in instruments], span=availability.to_range(span), now=now)
    known = _known(actor, rows)
    entries: list[CalendarEntry] = []
    closures: dict[UUID, int] = {}  # its place in the list: a closure has a row for each unit
    for row in rows:
        closure = row["closure_id"]
        if closure is None:
            entry = _reservation(row, actor, row["reservation_id"] in known)
            kept = row["reservation__held_for"] if row["instrument_id"] in hosts else ""
            entries.append(replace(entry, held_for=kept) if kept else entry)
        elif closure in closures:
            place = closures[closure]
            entries[place] = replace(entries[place], units=(*entries[place].units, row["unit"]))
        else:
            closures[closure] = len(entries)
            entries.append(_closure(row, row["instrument_id"] in hosts))
    return _with_courses(entries)


def _with_courses(entries: list[CalendarEntry]) -> list[CalendarEntry]:
    """Return the entries, closures for course sessions with the course's Chinese name beside the one that is
    their reason. One statement where there are such closures."""
    closed = [entry.id for entry in entries if entry.id and entry.closure_kind == "training" and entry.reason]
    if not closed:
        return entries
    rows = CourseSession.objects.filter(pk__in=closed).values_list("pk", "course__name", "course__name_zh")
    names: dict[tuple[UUID | None, str], str] = {(pk, name): name_zh for pk, name, name_zh in rows}
    return [replace(each, reason_zh=names.get((each.id, each.reason), "")) for each in entries]


_READ = (
    "instrument_id",
    "unit",
    "span",
    "closure_id",
    "closure__kind",
    "closure__reason",
    "reservation_id",
    "reservation__start_at",
    "reservation__end_at",
    "reservation__state",
    "reservation__held_for",
    "reservation__user_id",
    "reservation__made_by_id",
    "reservation__user__name",
    "reservation__user__email",
    "expires_at",
    "reservation__organisation__code",
    "reservation__organisation__name",
    "reservation__organisation__name_zh",
    "reservation__purpose",
    "reservation__purpose_text",
)


_ENTRIES = Prepared(
    lambda instruments, span, now: (
        Occupancy.objects.filter(
            availability.live(now), instrument_id__one_of=instruments, span__overlap=span
        )
        .order_by("span", "unit")
        .values(*_READ, samples=number_of_samples("reservation_id"))
    )
)


def _known(actor: Actor, rows: Iterable[dict[str, Any]]) -> Collection[UUID]:
    """Return the ids of the reservations that the actor may see: their own, which takes no statement, and
    those that their roles allow."""
    if actor.user_id is None:
        return ()
    taken = [row for row in rows if row["reservation_id"]]
    reads = any(map(actor.scope_where, ("read-bookings", "operate-instruments")))
    if reads or actor.regions_where("read-bookings"):
        return visible_among(actor, (row["reservation_id"] for row in taken))
    return {row["reservation_id"] for row in taken if _is_own(row, actor)}


def _is_own(row: dict[str, Any], actor: Actor) -> bool:
    return actor.user_id in (row["reservation__user_id"], row["reservation__made_by_id"])


def _reservation(row: dict[str, Any], actor: Actor, is_known: bool) -> CalendarEntry:
    blocked = availability.to_period(row["span"])
    # After a session that ended early, only the remaining occupancy of its period is shown.
    period = clip(row["reservation__start_at"], row["reservation__end_at"], blocked) or blocked
    if not is_known or row["reservation__held_for"]:
        return CalendarEntry(row["instrument_id"], RESERVATION, (row["unit"],), period, blocked)
    return CalendarEntry(
        instrument_id=row["instrument_id"],
        kind=RESERVATION,
        units=(row["unit"],),
        period=period,
        blocked=blocked,
        id=row["reservation_id"],
        state=row["reservation__state"],
        person=row["reservation__user__name"] or row["reservation__user__email"],
        organisation=(row["reservation__organisation__name"], row["reservation__organisation__name_zh"]),
        purpose=row["reservation__purpose"],
        purpose_text=row["reservation__purpose_text"],
        samples=int(Decimal(row["samples"] or 0)),
        is_own=_is_own(row, actor),
        is_person=row["reservation__user_id"] == actor.user_id,
        payer=row["reservation__organisation__code"],
        expires_at=row["expires_at"],
    )


def _closure(row: dict[str, Any], is_host: bool) -> CalendarEntry:
    span = availability.to_period(row["span"])
    return CalendarEntry(
        instrument_id=row["instrument_id"],
        kind=CLOSURE,
        units=(row["unit"],),
        period=span,
        blocked=span,
        id=row["closure_id"] if is_host else None,
        closure_kind=row["closure__kind"],
        reason=row["closure__reason"] if is_host else "",
    )


def _opened(instrument: Instrument, span: Period) -> tuple[Period, ...]:
    windows = merged(load_windows(instrument.schedule, span.start, span.end))
    return tuple(p for w in windows if (p := clip(w.opens_at, w.closes_at, span)))
