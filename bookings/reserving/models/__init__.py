from bookings.reserving.models.chains import Chain

__all__ = ["Chain"]
