"""The tables of what happens: occupancy, reservations, use, quotes, charges, hours."""

from bookings.models.charges import Charge
from bookings.models.closures import Closure
from bookings.models.demand import UnmetDemand
from bookings.models.fees import Quote
from bookings.models.occupancy import Occupancy
from bookings.models.reservations import Reservation
from bookings.models.usage import UsageSession
from bookings.models.utilisation import DirtyDay, InstrumentDay, InstrumentDayUse, RollUp

__all__ = [
    "Charge",
    "Closure",
    "DirtyDay",
    "InstrumentDay",
    "InstrumentDayUse",
    "Occupancy",
    "Quote",
    "Reservation",
    "RollUp",
    "UnmetDemand",
    "UsageSession",
]
