"""How long results are kept after their release, and when people are warned that they will be deleted."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from accounts.domain.errors import WrongState, invalid

WARN_DAYS = (30, 7, 1)  # days before the last day
MOST_LINK_DAYS, MOST_USES = 365, 1000
LINK_DAYS = 14
MOST_AGAIN = 64 << 20  # bytes of one download that may be sent twice
MOST_LINKS = 50  # of one hand-off


def warning_due(retain_until: datetime, told_days: int | None, now: datetime) -> int | None:
    """Return which warning is due now, in days before the end; None if it was given already, or it is too
    early. If several were missed, only the last is given."""
    left = retain_until - now
    passed = [days for days in WARN_DAYS if left <= timedelta(days=days)]
    if not passed or (told_days is not None and told_days <= min(passed)):
        return None
    return min(passed)


def extended(retain_until: datetime, days: int, released_at: datetime, most: int) -> datetime:
    """Return the new end of a retention that is extended. Raise `Invalid` (`kept-too-long`) if it would be
    too long after the release."""
    until = retain_until + timedelta(days=days)
    if until > released_at + timedelta(days=most):
        raise invalid("days", "kept-too-long", most=most)
    return until


def is_purgeable(retain_until: datetime | None, is_held: bool, now: datetime) -> bool:
    """Say whether the files may be deleted: the last day has passed, and no legal hold is placed."""
    return retain_until is not None and retain_until <= now and not is_held


def is_recipient(*, is_person: bool, is_with_payer: bool, is_of_host: bool) -> bool:
    """Say whether a download counts as a delivery. It does for the booking's person, even one who works for
    the host; for others on the payer's side (`is_with_payer`) it does only if they do not deliver the host's
    results, since nobody may prove their own delivery."""
    return is_person or (is_with_payer and not is_of_host)


def is_collected(paths: Iterable[str], delivered: Collection[str]) -> bool:
    """Say whether everything was delivered: the package (the empty path), or each of the files."""
    return "" in delivered or set(paths) <= set(delivered)


def bytes_allowed(size: int) -> int:
    """Return how many bytes one counted download of a file of this size may send in all. Bytes in transit
    when a connection breaks are sent again, so it may exceed the size: by half of it, so that nobody can read
    the file twice, and by at most 64 MiB."""
    return size + min(size // 2, MOST_AGAIN)


def check_link(expires_at: datetime, now: datetime, active: int) -> None:
    """Raise `Invalid` for a link that ends before it begins or lasts too long; `WrongState`
    (`too-many-links`) if there are enough already."""
    if not now < expires_at <= now + timedelta(days=MOST_LINK_DAYS):
        raise invalid("expires_at", "link-days", most=MOST_LINK_DAYS)
    if active >= MOST_LINKS:
        raise WrongState("too-many-links", most=MOST_LINKS)
