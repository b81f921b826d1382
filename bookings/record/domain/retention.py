"""How long each kind of record is kept: the one table. What is not in it is kept for good; the
trail and the books (bookings that were made, charges, the ledger, statements) never are in it."""

from dataclasses import dataclass
from datetime import timedelta

# Keys of the outbox make an effect happen once; the longest that one is asked for again and again
# (a certificate that runs out, a record that is stale) is well below this.
EFFECTS = timedelta(days=90)
_FILES = timedelta(days=7)  # made on demand, and made again as easily


@dataclass(frozen=True)
class Kept:
    """A kind of record, how long it is kept, and from when that counts."""

    kind: str
    span: timedelta
    since: str


RETENTION = (
    Kept("outbox", EFFECTS, "done"),
    Kept("outbox-failed", timedelta(days=365), "given-up"),
    Kept("messages", timedelta(days=180), "made"),
    Kept("idempotency-keys", timedelta(hours=24), "made"),
    Kept("job-runs", timedelta(days=14), "made"),
    Kept("job-failures", timedelta(days=90), "last-tried"),
    Kept("import-rows", timedelta(days=180), "ended"),
    Kept("trail-bundles", _FILES, "made"),
    Kept("hours-exports", _FILES, "made"),
    Kept("fetchings", timedelta(days=365), "made"),
    Kept("webhook-deliveries", timedelta(days=30), "made"),
    Kept("holds", timedelta(days=30), "ended"),
    Kept("sessions", timedelta(0), "expired"),
    Kept("tokens", timedelta(days=365), "expired"),
    Kept("invitations", timedelta(days=365), "expired"),
)
