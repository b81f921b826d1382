"""When bookings stand in the way of merging two records."""

from accounts.domain.errors import Refused


class StillBooked(Refused):
    """The record to give up has bookings that are not over: move or cancel them first."""

    code = "still-booked"
