"""Decide whether the payer's finance may still charge other funding sources."""

from datetime import datetime

from bookings.pricing.domain.charges import ORIGINAL


def is_recodable(kind: str, state: str, open_until: datetime | None, now: datetime) -> bool:
    """Say whether a charge can still be charged to other sources: one that says what a booking costs, while
    it is disputed, or open until its period of dispute ends."""
    if kind not in ORIGINAL:
        return False
    return state == "disputed" or (state == "open" and open_until is not None and now < open_until)
