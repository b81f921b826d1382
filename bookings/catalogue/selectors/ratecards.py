"""Say whether a rate card has priced anything."""

from bookings.record.models import Reservation
from instruments.rates.models import RateCard
from instruments.register.models import Instrument


def is_card_used(instrument: Instrument, card: RateCard) -> bool:
    """Return whether any booking, in whatever state, was quoted by a card. It takes one statement."""
    return Reservation.objects.filter(instrument=instrument, rate_card=card).exists()
