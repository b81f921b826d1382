from bookings.hours.models.exports import HoursExport
from bookings.hours.models.hours import (
    BookingsRead,
    DirtyDay,
    DirtyMonths,
    FacilityBookings,
    FacilityDay,
    FacilityLead,
    FacilityMonth,
    FacilityUse,
    FacilityYear,
    InstrumentDay,
    InstrumentDayUse,
    InstrumentMonth,
    InstrumentYear,
    RollUp,
)
from bookings.hours.models.norms import NormHours

__all__ = [
    "BookingsRead",
    "DirtyDay",
    "DirtyMonths",
    "FacilityBookings",
    "FacilityDay",
    "FacilityLead",
    "FacilityMonth",
    "FacilityUse",
    "FacilityYear",
    "HoursExport",
    "InstrumentDay",
    "InstrumentDayUse",
    "InstrumentMonth",
    "InstrumentYear",
    "NormHours",
    "RollUp",
]
