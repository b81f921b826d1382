from bookings.series.models.series import Series

__all__ = ["Series"]
