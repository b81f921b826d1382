from bookings.browsing.models.lists import InstrumentList, ListEntry
from bookings.browsing.models.searches import SavedSearch, SearchMatch

__all__ = ["InstrumentList", "ListEntry", "SavedSearch", "SearchMatch"]
