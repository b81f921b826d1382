"""The tables of what happens: occupancy, reservations, use, quotes, charges, hours."""

from bookings.models.charges import Charge
from bookings.models.closures import Closure
from bookings.models.demand import UnmetDemand
from bookings.models.fees import Quote
from bookings.models.occupancy import Occupancy
from bookings.models.reservations import Reservation
from bookings.models.series import Chain, Series
from bookings.models.usage import UsageSession
from bookings.models.utilisation import DirtyDay, InstrumentDay, InstrumentDayUse, RollUp
from bookings.models.waiting import WaitingOffer, WaitingWish

__all__ = [
    "Chain",
    "Charge",
    "Closure",
    "DirtyDay",
    "InstrumentDay",
    "InstrumentDayUse",
    "Occupancy",
    "Quote",
    "Reservation",
    "RollUp",
    "Series",
    "UnmetDemand",
    "UsageSession",
    "WaitingOffer",
    "WaitingWish",
]
