from bookings.record.models.reservations import Reservation
from bookings.record.models.usage import UsageSession

__all__ = ["Reservation", "UsageSession"]
