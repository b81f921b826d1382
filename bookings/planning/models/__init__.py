from bookings.planning.models.plans import PlannedPurchase

__all__ = ["PlannedPurchase"]
