from bookings.results.models.collecting import CollectLink, KeepRequest, Receipt
from bookings.results.models.handoffs import HandOff, HostStorage, ResultFile, ResultTerms

__all__ = ["CollectLink", "HandOff", "HostStorage", "KeepRequest", "Receipt", "ResultFile", "ResultTerms"]
