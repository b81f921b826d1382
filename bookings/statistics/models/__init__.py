from bookings.statistics.models.exports import HoursExport

__all__ = ["HoursExport"]
