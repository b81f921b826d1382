from bookings.availability.models.closures import Closure
from bookings.availability.models.kept_hours import KeptHours
from bookings.availability.models.occupancy import Occupancy

__all__ = ["Closure", "KeptHours", "Occupancy"]
