"""Unmet demand: what people wanted and could not have for lack of capacity."""

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.domain.periods import Period
from bookings.models import UnmetDemand
from instruments.domain.criteria import Criteria
from instruments.domain.opening import local_date
from instruments.models import Instrument


def demand_searched(
    *, actor: Actor, organisation: Organisation, criteria: Criteria, now: datetime
) -> None:
    """A search for free time that found nothing; once per person, query and day (UTC)."""
    if criteria.free_from is None or criteria.free_until is None:
        return
    asked = {name: value for name, value in asdict(criteria).items() if value not in ("", None)}
    UnmetDemand.objects.bulk_create(
        [
            UnmetDemand(
                kind=UnmetDemand.Kind.SEARCH,
                user_id=actor.person,
                organisation=organisation,
                region_id=organisation.region_id,
                query=" ".join(f"{name}={value}" for name, value in sorted(asked.items()))[:500],
                minutes=criteria.minutes or 0,
                wanted_from=criteria.free_from,
                wanted_until=criteria.free_until,
                on_date=now.date(),
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def demand_refused(
    *,
    actor: Actor,
    organisation: Organisation,
    instrument: Instrument,
    period: Period,
    now: datetime,
) -> None:
    """A booking refused for lack of capacity; once per person, instrument and local day."""
    UnmetDemand.objects.bulk_create(
        [
            UnmetDemand(
                kind=UnmetDemand.Kind.REFUSED,
                user_id=actor.person,
                organisation=organisation,
                region_id=organisation.region_id,
                instrument=instrument,
                minutes=period.minutes,
                wanted_from=period.start,
                wanted_until=period.end,
                on_date=local_date(ZoneInfo(instrument.facility.time_zone), now),
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
