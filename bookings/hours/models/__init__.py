from bookings.hours.models.exports import HoursExport
from bookings.hours.models.norms import NormHours
from bookings.hours.models.utilisation import (
    DirtyDay,
    DirtyMonths,
    FacilityMonth,
    FacilityYear,
    InstrumentDay,
    InstrumentDayUse,
    RollUp,
)

__all__ = [
    "DirtyDay",
    "DirtyMonths",
    "FacilityMonth",
    "FacilityYear",
    "HoursExport",
    "InstrumentDay",
    "InstrumentDayUse",
    "NormHours",
    "RollUp",
]
