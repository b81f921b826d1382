from instruments.opening.models.opening import OpenWindow, Schedule, ScheduleAssignment, ScheduleDay

__all__ = ["OpenWindow", "Schedule", "ScheduleAssignment", "ScheduleDay"]
