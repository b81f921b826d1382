from bookings.usage.models.faults import FaultNote, FaultReport
from bookings.usage.models.kiosks import CheckInCode, Kiosk

__all__ = ["CheckInCode", "FaultNote", "FaultReport", "Kiosk"]
