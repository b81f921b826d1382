"""Find the starts that every rule allows, for the person who asks."""

from datetime import datetime
from uuid import UUID

from accounts.models import Organisation
from bookings.availability.domain.availability import Calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.catalogue import load_cards, served_starts
from bookings.pricing.selectors.fees import load_backing, terms_on
from bookings.record.domain.periods import Period
from instruments.register.models import Instrument


def load_starts(
    instrument: Instrument,
    payer: Organisation | None,
    calendar: Calendar,
    within: Period,
    now: datetime,
    *,
    minutes: int,
    user_id: UUID | None,
    mode: str | None = None,
) -> list[datetime]:
    """Return every start at which a booking of `minutes` would be accepted and end inside a span. It takes at
    most four statements."""
    cards = load_cards([instrument.pk]).get(instrument.pk, [])
    backing = load_backing(payer, instruments=[instrument], grants=False)
    first = terms_on(instrument, backing, cards, within.start)
    asker = load_asker(instrument, payer, first, user_id=user_id, mode=mode)
    return served_starts(
        instrument, backing, cards, calendar, asker, within, now, minutes=minutes, mode=mode or ""
    )
