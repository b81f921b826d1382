"""Set opening hours: create schedules, resolve them to windows and days, and assign them to instruments."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.jobs import Busy
from accounts.domain.roles import By
from accounts.models.copying import rows_copy
from accounts.services.jobs import work_through
from instruments.opening.domain import opening
from instruments.opening.models import OpenWindow, Schedule, ScheduleAssignment, ScheduleDay
from instruments.opening.selectors.opening import resolve
from instruments.reading.domain.clock import instant, local_date
from instruments.register.domain.provenance import OPENING_HOURS
from instruments.register.locks import lock_instruments, lock_managed
from instruments.register.models import Instrument
from instruments.register.services.provenance import hand_wrote

AHEAD = timedelta(days=400)
BEHIND = timedelta(days=35)
DAY = timedelta(days=1)
SLACK = timedelta(days=30)  # so that a schedule is extended once a month, not every night


@transaction.atomic
def opening_hours_set(by: By, *, instrument_id: UUID, hours: opening.OpeningHours) -> Instrument:
    """Give an instrument new opening hours from today on. Reservations stay as they are. `WrongVersion` if
    the instrument has changed since it was read."""
    instrument = lock_managed(by, instrument_id, record=True)
    data = opening.hours_to_json(hours)
    before = instrument.schedule.hours if instrument.schedule else {}
    if before == data:
        return instrument
    schedule = schedule_for(
        time_zone=instrument.facility.time_zone,
        holiday_calendar=instrument.region.holiday_calendar,
        hours=data,
        now=by.now,
    )
    instrument.schedule = schedule
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.save(update_fields=["schedule", "version", "updated_at"])
    if instrument.publication == Instrument.Publication.PUBLISHED:
        assignment_change(instrument=instrument, now=by.now)
    hand_wrote(by, instrument=instrument, names=[OPENING_HOURS])
    trail.record(by, "opening.set", instrument, before=before, after=data)
    return instrument


@transaction.atomic
def holidays_follow(*, region_id: UUID, now: datetime) -> int:
    """Give the instruments of a region that observe public holidays those of its present calendar, from today
    on; return how many changed."""
    rows = Instrument.objects.filter(region_id=region_id).exclude(schedule=None)
    instruments = lock_instruments(rows.values_list("pk", flat=True), record=True)
    moved = 0
    for instrument in instruments:
        assert instrument.schedule is not None
        schedule = schedule_for(
            time_zone=instrument.facility.time_zone,
            holiday_calendar=instrument.region.holiday_calendar,
            hours=instrument.schedule.hours,
            now=now,
        )
        if schedule.pk == instrument.schedule_id:
            continue
        instrument.schedule = schedule
        instrument.save(update_fields=["schedule"])
        if instrument.publication == Instrument.Publication.PUBLISHED:
            assignment_change(instrument=instrument, now=now)
        moved += 1
    return moved


def schedule_for(
    *,
    time_zone: str,
    holiday_calendar: str,
    hours: dict[str, object],
    now: datetime,
    since: date | None = None,
) -> Schedule:
    """Return the schedule of a zone, hours and holiday calendar, which is created if there is none yet. It is
    resolved from `since` (local date; default: five weeks ago) to more than a year ahead."""
    parsed = opening.parse_hours(hours)
    calendar = holiday_calendar if parsed.observes_holidays else ""
    content: dict[str, Any] = {
        "zone": time_zone,
        "calendar": calendar,
        "hours": opening.hours_to_json(parsed),
    }
    digest = hashlib.sha256(canonical_json(content)).hexdigest()
    with transaction.atomic():
        schedule, _ = Schedule.objects.get_or_create(
            digest=digest,
            defaults={"time_zone": time_zone, "holiday_calendar": calendar, "hours": content["hours"]},
        )
        today = local_date(ZoneInfo(time_zone), now)
        schedule_resolve(schedule, since=since or today - BEHIND, until=today + AHEAD)
    return schedule


def schedule_resolve(schedule: Schedule, *, since: date, until: date) -> bool:
    """Write the windows and days that are missing for the local dates [since, until); return whether any was
    missing. Call it in a transaction."""
    known_from, known_until = schedule.resolved_from, schedule.resolved_until
    if known_from and known_until and known_from <= since and until <= known_until:
        return False
    schedule = Schedule.objects.select_for_update().get(pk=schedule.pk)
    spans = [(since, until)]
    if schedule.resolved_from and schedule.resolved_until:
        since, until = min(since, schedule.resolved_from), max(until, schedule.resolved_until)
        spans = [(since, schedule.resolved_from), (schedule.resolved_until, until)]
    opened = opening.merged(resolve(schedule, since - DAY, until))
    for first, last in spans:
        if first < last:
            _write_days(schedule, opened, first, last)
    schedule.resolved_from, schedule.resolved_until = since, until
    schedule.save(update_fields=["resolved_from", "resolved_until"])
    # Windows are merged across days, so they are written whole rather than patched.
    OpenWindow.objects.filter(schedule=schedule).delete()
    rows_copy([OpenWindow(schedule=schedule, span=(window.opens_at, window.closes_at)) for window in opened])
    return True


def _write_days(schedule: Schedule, opened: Sequence[opening.Window], since: date, until: date) -> None:
    zone = ZoneInfo(schedule.time_zone)
    dates = [since + number * DAY for number in range((until - since).days)]
    starts = [instant(zone, day, 0) for day in [*dates, until]]
    rows = []
    for day, (starts_at, ends_at) in zip(dates, pairwise(starts), strict=True):
        first = bisect_right(opened, starts_at, key=attrgetter("closes_at"))
        end = bisect_left(opened, ends_at, key=attrgetter("opens_at"))
        rows.append(
            ScheduleDay(
                schedule=schedule,
                date=day,
                starts_at=starts_at,
                ends_at=ends_at,
                total_minutes=int((ends_at - starts_at).total_seconds() // 60),
                open_minutes=opening.open_minutes(opened[first:end], starts_at, ends_at),
            )
        )
    rows_copy(rows)


def assignment_change(*, instrument: Instrument, now: datetime) -> None:
    """Assign the instrument its present schedule and units from today's local date on; earlier days keep what
    they had.

    A change that takes time away (suspending, retiring, fewer units) counts from tomorrow, so that today's
    use stays in today's figures. A suspended instrument has a schedule that never opens: bookings made before
    are still used and counted. A retired one has no days.
    """
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    units = instrument.policy.units
    schedule_id, from_date = instrument.schedule_id, today
    if instrument.publication == Instrument.Publication.PUBLISHED:
        standing = ScheduleAssignment.objects.filter(
            instrument=instrument, from_date__lte=today, until_date=None
        ).first()
        if standing is not None and standing.units > units:
            from_date = today + DAY
    else:
        from_date = today + DAY
        schedule_id = None
        if instrument.publication == Instrument.Publication.SUSPENDED:
            schedule_id = schedule_for(
                time_zone=instrument.facility.time_zone, holiday_calendar="", hours={}, now=now
            ).pk
    assignment_put(instrument_id=instrument.pk, schedule_id=schedule_id, units=units, from_date=from_date)


def assignment_put(*, instrument_id: UUID, schedule_id: UUID | None, units: int, from_date: date) -> None:
    """End the current assignment at `from_date` and add a new one; assignments that begin later are
    deleted."""
    mine = ScheduleAssignment.objects.filter(instrument_id=instrument_id)
    mine.filter(from_date__gt=from_date).delete()
    mine.filter(Q(until_date=None) | Q(until_date__gt=from_date), from_date__lt=from_date).update(
        until_date=from_date
    )
    ScheduleAssignment.objects.update_or_create(
        instrument_id=instrument_id,
        from_date=from_date,
        defaults={"schedule_id": schedule_id, "units": units, "until_date": None},
    )


def schedules_assign(*, pairs: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Set the schedule of many draft instruments; one statement per batch."""
    rows = [Instrument(pk=instrument_id, schedule_id=schedule_id) for instrument_id, schedule_id in pairs]
    Instrument.objects.bulk_update(rows, ["schedule"], batch_size=500)


def calendar_extend(*, now: datetime) -> int:
    """Resolve every schedule to more than a year ahead; return how many were due."""
    near = now.date() + DAY + AHEAD - SLACK  # dates differ by at most one day between time zones
    due = Schedule.objects.filter(Q(resolved_until=None) | Q(resolved_until__lt=near))

    def act(schedule_id: UUID) -> int:
        free = Schedule.objects.select_for_update(skip_locked=True)
        schedule = free.filter(pk=schedule_id).first()
        if schedule is None:
            raise Busy
        today = local_date(ZoneInfo(schedule.time_zone), now)
        if schedule.resolved_until and schedule.resolved_until >= today + AHEAD - SLACK:
            return 0
        return schedule_resolve(schedule, since=today - BEHIND, until=today + AHEAD)

    return work_through(job="open windows", due=due.order_by("pk"), act=act, now=now)
