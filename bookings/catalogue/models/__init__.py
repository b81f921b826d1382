from bookings.catalogue.models.busy import BusyCalendar, BusyTime
from bookings.catalogue.models.demand import UnmetDemand

__all__ = ["BusyCalendar", "BusyTime", "UnmetDemand"]
