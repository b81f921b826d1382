from bookings.record.models.deletions import Deletion
from bookings.record.models.ratings import InstrumentRating, SessionRating
from bookings.record.models.reservations import Reservation
from bookings.record.models.usage import UsageSession

__all__ = ["Deletion", "InstrumentRating", "Reservation", "SessionRating", "UsageSession"]
