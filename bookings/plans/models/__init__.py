from bookings.plans.models.imports import BookingImport, ImportedBooking
from bookings.plans.models.waiting import WaitingOffer, WaitingWish

__all__ = ["BookingImport", "ImportedBooking", "WaitingOffer", "WaitingWish"]
