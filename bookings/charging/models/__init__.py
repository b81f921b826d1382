from bookings.charging.models.ledger import LedgerEntry, Posting

__all__ = ["LedgerEntry", "Posting"]
