"""Unmet demand: what people wanted and could not have for lack of capacity."""

from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.domain.periods import Period
from bookings.models import UnmetDemand
from instruments.domain.opening import local_date
from instruments.models import Instrument


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
