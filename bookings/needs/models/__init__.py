from bookings.needs.models.needs import HostRecord, Need, Suggestion

__all__ = ["HostRecord", "Need", "Suggestion"]
