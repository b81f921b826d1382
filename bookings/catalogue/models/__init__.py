from bookings.catalogue.models.busy import BusyCalendar, BusyTime
from bookings.catalogue.models.demand import UnmetDemand
from bookings.catalogue.models.lists import InstrumentList, ListEntry
from bookings.catalogue.models.searches import SavedSearch, SearchMatch

__all__ = [
    "BusyCalendar",
    "BusyTime",
    "InstrumentList",
    "ListEntry",
    "SavedSearch",
    "SearchMatch",
    "UnmetDemand",
]
