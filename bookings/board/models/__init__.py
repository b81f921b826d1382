from bookings.board.models.alarms import AlarmThreshold, IdleAlarm
from bookings.board.models.enquiries import Bid, BidSlot, Enquiry

__all__ = ["AlarmThreshold", "Bid", "BidSlot", "Enquiry", "IdleAlarm"]
