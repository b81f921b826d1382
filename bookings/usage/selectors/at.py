"""Load who uses an instrument now and next, as its label's page and a kiosk show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.domain.errors import NotFound
from accounts.domain.roles import NOBODY, Actor
from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import live, to_period, to_range
from bookings.catalogue.selectors.calendars import CalendarEntry, Row, load_board, load_week
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import CHECK_IN_BEFORE
from bookings.record.models import UsageSession
from bookings.usage.domain.kiosks import initials
from instruments.register.models import Instrument
from instruments.register.selectors.registry import RECORD, WITH, may_see

AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Unit:
    """A unit at a moment: what occupies it, what comes next, and until when it is free (None: the whole day,
    or it is not free). `initials`: of the present and the next person, for a kiosk."""

    number: int
    here: CalendarEntry | None
    after: CalendarEntry | None
    is_overrun: bool
    free_until: datetime | None
    initials: tuple[str, str] = ("", "")

    @property
    def is_free(self) -> bool:
        return self.here is None and not self.is_overrun


@dataclass(frozen=True)
class Own:
    """A booking of the reader's that they can act on here and now; `is_person`: they use it themselves."""

    id: UUID
    period: Period
    is_in_use: bool
    is_person: bool = True


@dataclass(frozen=True)
class NowNext:
    """An instrument at a moment. `opens_at`: when it opens next, if it is outside its opening hours (None:
    not within a day). `own`: the reader's bookings that are in use or can be checked in to; `comes`: their
    first booking within a day that cannot be checked in to yet. `start`, `minutes`: the earliest start that
    the rules allow for a booking, and its usual length."""

    instrument: Instrument
    units: tuple[Unit, ...]
    is_open: bool
    opens_at: datetime | None
    own: tuple[Own, ...] = ()
    comes: CalendarEntry | None = None
    start: datetime | None = None
    minutes: int = 0

    @property
    def free(self) -> int:
        """Return the number of units that nobody uses."""
        return sum(unit.is_free for unit in self.units) if self.is_open else 0


def instrument_at(actor: Actor, code: str) -> Instrument:
    """Return the instrument of a label; for a merged one, the instrument it was merged into. Raise `NotFound`
    if there is none, or the actor may not see it."""
    rows = Instrument.objects.select_related(*WITH, "organisation__region").defer(*RECORD)
    row = visible(rows, short_code=code.upper())
    while row.merged_into_id:
        row = rows.get(pk=row.merged_into_id)
    if not may_see(actor, row):
        raise NotFound
    return row


def load_now(actor: Actor, instrument: Instrument, payer: Organisation | None, now: datetime) -> NowNext:
    """Load an instrument as the actor may see it, with what they may do there. Five statements, and those of
    rules that have statements of their own (`load_week`)."""
    span = Period(now, now + AHEAD)
    week = None
    if instrument.publication == Instrument.Publication.PUBLISHED:
        week = load_week(actor, instrument, payer, span, now, minutes=None)
    row = week.row if week else load_board(actor, [instrument], span, now)[0]
    sessions = _open_sessions([instrument])
    own = [
        Own(e.id, e.period, e.state == "in_use", e.is_person)
        for e in row.entries
        if e.id
        and e.is_own
        and (e.state == "in_use" or (e.state == "confirmed" and _may_check_in(e.period, now)))
    ]
    known = {each.id for each in own}
    own += [
        Own(
            s.reservation_id,
            Period(s.reservation.start_at, s.reservation.end_at),
            is_in_use=True,
            is_person=s.reservation.user_id == actor.user_id,
        )
        for s in sessions
        if actor.user_id in (s.reservation.user_id, s.reservation.made_by_id)
        and actor.user_id is not None
        and s.reservation_id not in known
    ]
    coming = (
        e
        for e in row.entries
        if e.is_own and e.state in ("requested", "confirmed") and not _may_check_in(e.period, now)
    )
    starts = week.starts if week else ()
    return _now_next(
        row,
        {session.unit for session in sessions},
        now,
        own=tuple(sorted(own, key=lambda each: (not each.is_in_use, each.period.start))),
        comes=next((e for e in coming if e.period.start > now), None),
        start=starts[0] if starts else None,
        minutes=week.minutes if week else 0,
    )


def load_kiosk(instruments: Sequence[Instrument], now: datetime) -> list[NowNext]:
    """Load the instruments of a kiosk (each with what calendars need), with initials and times only. Three
    statements."""
    span = Period(now, now + AHEAD)
    rows = load_board(NOBODY, instruments, span, now)
    names = {
        (instrument, unit, to_period(taken).start): initials(name or email)
        for instrument, unit, taken, name, email in Occupancy.objects.filter(
            live(now), instrument__in=instruments, reservation__held_for="", span__overlap=to_range(span)
        ).values_list("instrument_id", "unit", "span", "reservation__user__name", "reservation__user__email")
    }
    open_units: dict[UUID, set[int]] = {}
    for session in _open_sessions(instruments):
        open_units.setdefault(session.instrument_id, set()).add(session.unit)
    return [_now_next(row, open_units.get(row.instrument.pk, set()), now, names) for row in rows]


def _open_sessions(instruments: Sequence[Instrument]) -> list[UsageSession]:
    rows = UsageSession.objects.filter(instrument__in=instruments, checked_out_at=None)
    return list(rows.select_related("reservation").order_by("checked_in_at"))


def _may_check_in(period: Period, now: datetime) -> bool:
    return period.start - CHECK_IN_BEFORE <= now < period.end


def _now_next(
    row: Row,
    open_units: set[int],
    now: datetime,
    names: dict[tuple[UUID, int, datetime], str] | None = None,
    **own: object,
) -> NowNext:
    window = next((each for each in row.opened if each.start <= now < each.end), None)
    later = (each.start for each in row.opened if each.start > now)
    closes = window.end if window and window.end < now + AHEAD else None
    units = []
    for number in range(1, row.units + 1):
        entries = [e for e in row.entries if number in e.units and e.blocked.end > now]
        here = next((e for e in entries if e.blocked.start <= now), None)
        after = next((e for e in entries if e.blocked.start > now), None)
        ends = [each for each in (closes, after and after.blocked.start) if each]
        units.append(
            Unit(
                number,
                here,
                after,
                is_overrun=here is None and number in open_units,
                free_until=min(ends, default=None),
                initials=(
                    _name(names, row.instrument.pk, number, here),
                    _name(names, row.instrument.pk, number, after),
                ),
            )
        )
    return NowNext(
        row.instrument,
        tuple(units),
        window is not None,
        next(later, None),
        **own,  # type: ignore[arg-type]
    )


def _name(
    names: dict[tuple[UUID, int, datetime], str] | None,
    instrument_id: UUID,
    unit: int,
    entry: CalendarEntry | None,
) -> str:
    if not names or entry is None:
        return ""
    return names.get((instrument_id, unit, entry.blocked.start), "")
