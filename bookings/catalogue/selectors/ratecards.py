"""What was priced by a rate card."""

from bookings.record.models import Reservation
from instruments.models import Instrument, RateCard


def is_card_used(instrument: Instrument, card: RateCard) -> bool:
    """Whether any booking, in whatever state, was quoted by it. One statement."""
    return Reservation.objects.filter(instrument=instrument, rate_card=card).exists()
