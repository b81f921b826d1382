"""How facilities receive samples by post, and when samples that are sent in can be worked on."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bookings.samples.domain.samples import USUAL_DAYS, is_sent_in
from bookings.samples.models import SampleReceiving
from instruments.reading.domain.clock import day_span, local_date
from instruments.register.models import Instrument


def receiving_of(facility_id: UUID) -> SampleReceiving | None:
    """Return how a facility receives samples; None if its managers have not said."""
    return SampleReceiving.objects.filter(pk=facility_id).first()


def load_arrivals(instruments: Iterable[Instrument], mode: str | None, now: datetime) -> dict[UUID, datetime]:
    """Return, by instrument (loaded with its facility) to which samples would be sent in a way of working,
    the moment from which samples posted now can be worked on: the beginning of the local day after the days
    that the facility needs. One statement; none if no samples would be sent."""
    asked = [each for each in instruments if is_sent_in(each.service_modes, mode)]
    if not asked:
        return {}
    rows = SampleReceiving.objects.filter(pk__in={each.facility_id for each in asked})
    stated = rows.values_list("pk", "lead_days")
    days = {pk: number for pk, number in stated if number is not None}
    return {each.pk: _begins(each, days.get(each.facility_id, USUAL_DAYS), now) for each in asked}


def _begins(instrument: Instrument, days: int, now: datetime) -> datetime:
    zone = ZoneInfo(instrument.facility.time_zone)
    return max(now, day_span(zone, local_date(zone, now) + timedelta(days=days))[0])
