from bookings.results.models.handoffs import HandOff, HostStorage, ResultFile, ResultTerms

__all__ = ["HandOff", "HostStorage", "ResultFile", "ResultTerms"]
