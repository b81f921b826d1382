from bookings.privacy.models.periods import HoldingPeriod

__all__ = ["HoldingPeriod"]
