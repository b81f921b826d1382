"""Bookings in the way of a closure."""

from collections.abc import Sequence

from accounts.domain.errors import WrongState
from bookings.record.models import Reservation


class InTheWay(WrongState):
    """Live reservations meet the closure; `reservations` are they, by start, each with what the
    actor would owe for it (`with_people`)."""

    code = "reservations-in-the-way"

    def __init__(self, reservations: Sequence[Reservation]) -> None:
        self.reservations = tuple(reservations)
        super().__init__(count=len(self.reservations))
