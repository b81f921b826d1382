"""Bookings in the way of a closure."""

from collections.abc import Sequence

from accounts.domain.errors import WrongState
from bookings.record.models import Reservation


class InTheWay(WrongState):
    """Live reservations overlap the closure. `reservations` holds them by start, each with what displacing it
    would cost, in the form that `with_people` gives."""

    code = "reservations-in-the-way"

    def __init__(self, reservations: Sequence[Reservation]) -> None:
        self.reservations = tuple(reservations)
        super().__init__(count=len(self.reservations))
