from bookings.catalogue.models.busy import BusyCalendar, BusyTime
from bookings.catalogue.models.demand import UnmetDemand
from bookings.catalogue.models.feed import AvailabilityItem

__all__ = ["AvailabilityItem", "BusyCalendar", "BusyTime", "UnmetDemand"]
