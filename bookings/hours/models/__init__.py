from bookings.hours.models.exports import HoursExport
from bookings.hours.models.hours import (
    DirtyDay,
    DirtyMonths,
    FacilityMonth,
    FacilityYear,
    InstrumentDay,
    InstrumentDayUse,
    RollUp,
)
from bookings.hours.models.norms import NormHours

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
