"""Hours as people read them, grouped by region, organisation, instrument, month and so on, and the rows
behind one day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.errors import invalid
from bookings.availability.models import Closure
from bookings.hours.domain.hours import Closed, DayStates, Missed, Session, StateMinutes, day_states, ratios
from bookings.hours.domain.norms import Norms, Offered, norm_minutes
from bookings.hours.selectors import sums
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation, UsageSession
from instruments.opening.models import OpenWindow, ScheduleAssignment, ScheduleDay
from instruments.register.models import Facility, Instrument

BY = (*sums.PERIODS, *sums.GROUPS)
# Minutes of `StateMinutes`, and the names of all figures in the API.
MINUTES = (
    "total", "productive", "unscheduled_down", "scheduled_down", "engineering", "standby",
    "no_show", "non_scheduled", "operations", "uptime",
)  # fmt: skip
FIGURES = (
    *(f"{name}_minutes" for name in MINUTES), "other_organisations_minutes",
    "other_regions_minutes", "sessions", "breakdowns",
)  # fmt: skip


@dataclass(frozen=True)
class HoursRow:
    """The hours of one group. `keys`: for each name in `by` its value, which is a day (2025-03-09), an ISO
    week (2025-W10), a month (2025-03), a year, the code of a region, organisation or technique, or the id of
    a facility or instrument. `names`: the group's names in English and Chinese. For instruments without a
    technique key and names are empty."""

    keys: Mapping[str, str]
    names: Mapping[str, tuple[str, str]]
    minutes: StateMinutes
    other_organisations: int
    other_regions: int
    sessions: int
    breakdowns: int = 0
    norm: int | None = None  # minutes
    period: date = date.min  # first day of the finest period that `by` names
    is_hidden: bool = False  # too few organisations are behind it, so no figure is shown
    groups: tuple[Any, ...] = ()  # ids of the groups, in the order of `GROUPS`

    @property
    def ratios(self) -> dict[str, str | None]:
        """Return the ratios between the minutes of the row, such as utilisation; all None for a hidden
        row."""
        found = ratios(
            self.minutes,
            other_organisations=self.other_organisations,
            other_regions=self.other_regions,
            norm_minutes=self.norm,
            breakdowns=self.breakdowns,
        )
        return dict.fromkeys(found) if self.is_hidden else found

    def plus(self, other: "HoursRow") -> "HoursRow":
        """Return the row of the same group with the sums of both rows."""
        return replace(
            self,
            minutes=self.minutes + other.minutes,
            other_organisations=self.other_organisations + other.other_organisations,
            other_regions=self.other_regions + other.other_regions,
            sessions=self.sessions + other.sessions,
            breakdowns=self.breakdowns + other.breakdowns,
        )

    def span(self, by: Sequence[str], since: date, until: date) -> tuple[date, date]:
        """Return the days of [since, until) that fall into the row's period."""
        began = self.period
        match next((name for name in sums.PERIODS if name in by), None):
            case "day":
                ended = began + timedelta(days=1)
            case "week":
                ended = began + timedelta(days=7)
            case "month":
                ended = sums.next_month(began)
            case "year":
                ended = date(began.year + 1, 1, 1)
            case _:
                return since, until
        return max(began, since), min(ended, until)

    @property
    def figures(self) -> dict[str, int | None]:
        """Return the minutes and sessions under the names of the API; all None for a hidden row."""
        if self.is_hidden:
            return dict.fromkeys(FIGURES)
        values = [getattr(self.minutes, name) for name in MINUTES]
        others = (self.other_organisations, self.other_regions, self.sessions, self.breakdowns)
        return dict(zip(FIGURES, (*values, *others), strict=True))


def hours(
    *,
    instruments: QuerySet[Instrument],
    since: date,
    until: date,
    by: Sequence[str],
    facilities: QuerySet[Facility] | None = None,
    norms: Norms | None = None,
    kept: sums.Kept | None = None,
    only: Sequence[UUID] | None = None,
) -> list[HoursRow]:
    """Return the hours of the local days [since, until), grouped and ordered by `by` (names of `BY`; empty:
    one row for all). Two statements, whatever the amount of data; one if `kept` is passed in; one more with
    `norms`, and one where instruments of `facilities` changed their host.

    `instruments` are those the person may see; `facilities` is set if these are all instruments of some
    facilities. `only` restricts the first of `by` to groups with these ids. Whole months are read from the
    sums that the roll-up keeps; for facilities, days as well. Only days on which instruments were offered and
    that are rolled up count: never today, and yesterday within the hour. Days without a row follow from the
    calendar. Grouped by technique, an instrument counts under each of its techniques, so those rows add up to
    more than the whole.
    """
    for name in by:
        if name not in BY:
            raise invalid("by", "unknown-choice", allowed=", ".join(BY))
    if "week" in by and {"month", "year"} & set(by):
        raise invalid("by", "weeks-cross-months")
    kept = kept or sums.load_kept(since, until)
    if not kept.is_filled or not {*sums.PERIODS, *_SUMMED_BY}.issuperset(by):
        facilities = None
    if only is not None and by[0] == "instrument":
        instruments, only = instruments.filter(pk__in=only), None
    rows: list[Any] = []
    if facilities is not None:
        rows += sums.facility_sums(facilities, since, until, by, kept, only=only)
    if facilities is None or kept.has_moves:
        rows += sums.instrument_sums(
            instruments, since, until, by, kept, only=only, is_moved=facilities is not None
        )
    grouped: dict[tuple[Any, ...], HoursRow] = {}
    for values in rows:
        row = _hours_row(by, values)
        key = (row.period, row.groups)
        grouped[key] = grouped[key].plus(row) if key in grouped else row
    result = list(grouped.values())
    if norms is not None:
        offered = sums.load_offered(instruments, since, until, by, only=only, has_moves=kept.has_moves)
        result = [_with_norm(row, by, offered, norms, since, until) for row in result]
    return sorted(result, key=lambda row: _order(row, by))


# The groups for which there are sums of facilities, besides any period.
_SUMMED_BY = {"region", "organisation", "facility"}


def _with_norm(
    row: HoursRow,
    by: Sequence[str],
    offered: Mapping[tuple[Any, ...], Sequence[Offered]],
    norms: Norms,
    since: date,
    until: date,
) -> HoursRow:
    began, ended = row.span(by, since, until)
    return replace(row, norm=norm_minutes(offered.get(row.groups, ()), norms, began, ended))


def _order(row: HoursRow, by: Sequence[str]) -> tuple[Any, ...]:
    groups = [name for name in sums.GROUPS if name in by]
    ids = dict(zip(groups, row.groups, strict=True))
    keys = [
        (row.names[name][0] == "", row.names[name][0], str(ids[name]))
        if name in ids
        else (False, row.period.isoformat(), "")
        for name in by
    ]
    return (*keys, row.period)


def _hours_row(by: Sequence[str], row: Sequence[Any]) -> HoursRow:
    groups = [name for name in sums.GROUPS if name in by]
    labels = {name: row[1 + 4 * index : 5 + 4 * index] for index, name in enumerate(groups)}
    day: date = row[0]
    keys = {name: str(label[1] or "") for name, label in labels.items()}
    keys |= {"day": day.isoformat(), "month": f"{day:%Y-%m}", "year": f"{day:%Y}"}
    keys["week"] = f"{day:%G}-W{day:%V}"
    numbers = [int(number) for number in row[1 + 4 * len(groups) :]]
    total, opened, productive, unscheduled, scheduled, engineering, missed, lost = numbers[:8]
    standby = opened - lost
    return HoursRow(
        keys={name: keys[name] for name in by},
        names={name: (label[2] or "", label[3] or "") for name, label in labels.items()},
        minutes=StateMinutes(
            productive=productive,
            unscheduled_down=unscheduled,
            scheduled_down=scheduled,
            engineering=engineering,
            standby=standby,
            non_scheduled=total - productive - unscheduled - scheduled - engineering - standby,
            no_show=missed,
        ),
        breakdowns=numbers[8],
        other_organisations=numbers[9],
        other_regions=numbers[10],
        sessions=numbers[11],
        period=day,
        groups=tuple(label[0] for label in labels.values()),
    )


@dataclass(frozen=True)
class DayRows:
    """The rows behind one instrument's day: the calendar's day, and the rows behind its figures, in order."""

    day: ScheduleDay
    units: int
    sessions: list[UsageSession]
    closures: list[Closure]
    no_shows: list[Reservation]


def day_rows(*, instrument_id: UUID, day: date) -> DayRows | None:
    """Return the sessions, closures and no-shows that overlap a local day; None if the instrument was not
    offered on it. Five statements."""
    offered = _calendar_day(instrument_id, day)
    if offered is None:
        return None
    calendar_day, units = offered
    starts_at, ends_at = calendar_day.starts_at, calendar_day.ends_at
    sessions = UsageSession.objects.filter(
        Q(checked_out_at__gte=starts_at) | Q(checked_out_at=None),
        instrument_id=instrument_id,
        checked_in_at__lt=ends_at,
    ).select_related("reservation__organisation", "reservation__payer_region", "reservation__user")
    closures = Closure.objects.filter(
        Q(end_at__gt=starts_at) | Q(end_at=None), instrument_id=instrument_id, start_at__lt=ends_at
    )
    no_shows = Reservation.objects.filter(
        instrument_id=instrument_id,
        state=Reservation.State.NO_SHOW,
        start_at__lt=ends_at,
        end_at__gt=starts_at,
    ).select_related("organisation", "payer_region", "user")
    return DayRows(
        calendar_day,
        units,
        list(sessions.order_by("checked_in_at", "pk")),
        list(closures.order_by("start_at", "pk")),
        list(no_shows.order_by("start_at", "pk")),
    )


def instrument_day(*, instrument_id: UUID, day: date) -> DayStates | None:
    """Return the states of a local day, computed now from the rows behind it; None if the instrument was not
    offered on it. Six statements."""
    rows = day_rows(instrument_id=instrument_id, day=day)
    if rows is None:
        return None
    span = (rows.day.starts_at, rows.day.ends_at)
    windows = OpenWindow.objects.filter(schedule_id=rows.day.schedule_id, span__overlap=span)
    return day_states(
        starts_at=rows.day.starts_at,
        ends_at=rows.day.ends_at,
        units=rows.units,
        windows=[Period(window.span.lower, window.span.upper) for window in windows],
        sessions=[
            Session(
                id=session.pk,
                unit=session.unit,
                checked_in_at=session.checked_in_at,
                checked_out_at=session.checked_out_at,
                organisation_id=session.reservation.organisation_id,
                payer_region_id=session.reservation.payer_region_id,
                price_group=session.reservation.price_group,
            )
            for session in rows.sessions
        ],
        closures=[
            Closed(closure.kind, closure.start_at, closure.end_at, frozenset(closure.units))
            for closure in rows.closures
        ],
        no_shows=[Missed(row.unit, row.start_at, row.end_at) for row in rows.no_shows],
    )


def _calendar_day(instrument_id: UUID, day: date) -> tuple[ScheduleDay, int] | None:
    """Return the row of a day in the calendar of an instrument, and the number of units on it; None if it was
    not offered then. Two statements."""
    assignment = ScheduleAssignment.objects.filter(
        Q(until_date__gt=day) | Q(until_date=None), instrument_id=instrument_id, from_date__lte=day
    ).first()
    if assignment is None or assignment.schedule_id is None:
        return None
    day_row = ScheduleDay.objects.filter(schedule_id=assignment.schedule_id, date=day).first()
    return (day_row, assignment.units) if day_row else None
