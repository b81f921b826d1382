from bookings.board.models.alarms import AlarmThreshold, IdleAlarm

__all__ = ["AlarmThreshold", "IdleAlarm"]
