from bookings.needs.models.batches import Batch, BatchPlace
from bookings.needs.models.needs import HostRecord, Need, Suggestion

__all__ = ["Batch", "BatchPlace", "HostRecord", "Need", "Suggestion"]
