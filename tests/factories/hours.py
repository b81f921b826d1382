"""A world for the tests of hours: instruments with a calendar, sessions, closures, no-shows.

Rows are written directly: what leads to them is tested elsewhere, and hours count what is.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import Organisation, Region, User
from bookings import models
from instruments.opening.models import Schedule, ScheduleAssignment
from instruments.opening.services.opening import schedule_resolve
from instruments.rates.models import RateCard
from instruments.register.models import Facility, Instrument

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
OFFICE = {"weekly": [{"weekday": d, "opens": "08:00", "closes": "18:00"} for d in range(1, 6)]}

_number = count(1)


class HoursWorld:
    """One host organisation with a facility, and two payers besides it: one of the same
    region, one of another. `now` is what the roll-up takes for the present."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        n = next(_number)
        self.here, self.there = (
            Region.objects.create(
                scheme="test", code=f"{name}{n}", name=name, time_zone="UTC", currency="EUR"
            )
            for name in ("here", "there")
        )
        self.host, self.neighbour, self.stranger = (
            Organisation.objects.create(
                code=f"{name}{n}", name=f"{name} institute", kind="university", region=region
            )
            for name, region in (("host", self.here), ("neighbour", self.here), ("stranger", self.there))
        )
        self.user = User.objects.create_user(f"user{n}@example.org")
        self.facility = Facility.objects.create(organisation=self.host, name="Facility", time_zone="UTC")

    def schedule(self, zone: str, hours: dict[str, Any], *, since: date) -> Schedule:
        """Resolved from `since` to some days after `now`."""
        with transaction.atomic():
            schedule = Schedule.objects.create(
                digest=f"hours world {next(_number)}", time_zone=zone, hours=hours
            )
            schedule_resolve(schedule, since=since, until=max(since, self.now.date()) + timedelta(days=3))
        return schedule

    def instrument(
        self,
        zone: str = "UTC",
        *,
        hours: dict[str, Any] = ALWAYS,
        units: int = 1,
        since: date,
        until: date | None = None,
        **values: Any,
    ) -> Instrument:
        """An instrument offered on the local days [since, until)."""
        schedule = self.schedule(zone, hours, since=since)
        instrument = Instrument.objects.create(
            facility=self.facility,
            organisation=self.host,
            region=self.here,
            name=values.pop("name", "Instrument"),
            schedule=schedule,
            created_at=self.now,
            updated_at=self.now,
            **values,
        )
        RateCard.objects.create(
            instrument=instrument, version=1, card={}, currency="EUR", valid_from=since, created_at=self.now
        )
        ScheduleAssignment.objects.create(
            instrument=instrument, schedule=schedule, units=units, from_date=since, until_date=until
        )
        return instrument

    def reservation(
        self,
        instrument: Instrument,
        start: datetime,
        end: datetime,
        *,
        state: str,
        unit: int = 1,
        payer: Organisation | None = None,
        price_group: str = "internal",
    ) -> models.Reservation:
        payer = payer or self.host
        return models.Reservation.objects.create(
            instrument=instrument,
            unit=unit,
            start_at=start,
            end_at=max(end, start + timedelta(minutes=1)),
            state=state,
            user=self.user,
            made_by=self.user,
            organisation=payer,
            payer_region=payer.region,
            host=self.host,
            host_region=self.here,
            service_mode="self",
            price_group=price_group,
            rate_card=instrument.rate_cards.get(),
            requested_at=start,
        )

    def session(
        self, instrument: Instrument, start: datetime, end: datetime | None, **values: Any
    ) -> models.UsageSession:
        """What `reservation` takes besides says who pays. No end: still checked in."""
        reservation = self.reservation(
            instrument,
            start,
            end or start + timedelta(hours=1),
            state="completed" if end else "in_use",
            **values,
        )
        return models.UsageSession.objects.create(
            reservation=reservation,
            instrument=instrument,
            unit=reservation.unit,
            checked_in_at=start,
            checked_out_at=end,
            service_mode="self",
        )

    def no_show(
        self, instrument: Instrument, start: datetime, end: datetime, unit: int = 1
    ) -> models.Reservation:
        return self.reservation(instrument, start, end, state="no_show", unit=unit)

    def closure(
        self,
        instrument: Instrument,
        kind: str,
        start: datetime,
        end: datetime | None,
        units: list[int] | None = None,
    ) -> models.Closure:
        return models.Closure.objects.create(
            instrument=instrument,
            kind=kind,
            start_at=start,
            end_at=end,
            units=units or [],
            created_by=self.user,
            created_at=self.now,
        )


def local(zone: str, text: str) -> datetime:
    """`2025-03-09 08:30` on the wall of a zone, as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def stored() -> tuple[list[dict[str, Any]], ...]:
    """All figures: days, what was used of them, and all sums of them; then those of bookings."""
    tables = []
    for model, order in (
        (models.InstrumentDay, ("instrument", "date")),
        (models.InstrumentDayUse, ("instrument", "date", "organisation", "price_group")),
        (models.FacilityMonth, ("facility", "month")),
        (models.FacilityYear, ("facility", "year", "norm")),
        (models.FacilityDay, ("facility", "date")),
        (models.InstrumentMonth, ("instrument", "month")),
        (models.InstrumentYear, ("instrument", "year")),
        (models.FacilityUse, ("facility", "month", "organisation", "price_group")),
        (models.FacilityBookings, ("facility", "month")),
        (models.FacilityLead, ("facility", "month", "width", "lead")),
    ):
        tables.append(list(model.objects.order_by(*order).values()))
    return tuple(tables)


def forget() -> None:
    """As if nothing had ever been rolled up."""
    for model in (
        models.InstrumentDay,
        models.InstrumentDayUse,
        models.FacilityMonth,
        models.FacilityYear,
        models.FacilityDay,
        models.InstrumentMonth,
        models.InstrumentYear,
        models.FacilityUse,
        models.FacilityBookings,
        models.FacilityLead,
        models.BookingsRead,
        models.DirtyDay,
        models.DirtyMonths,
        models.RollUp,
    ):
        model.objects.all().delete()
