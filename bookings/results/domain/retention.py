"""How long results are kept after their release, and when people are told that they will go."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from accounts.domain.errors import WrongState, invalid

WARN_DAYS = (30, 7, 1)  # before the last day
MOST_LINK_DAYS, MOST_USES = 365, 1000
LINK_DAYS = 14
MOST_AGAIN = 64 << 20  # bytes of one download that are sent twice
MOST_LINKS = 50  # of one hand-off


def warning_due(retain_until: datetime, told_days: int | None, now: datetime) -> int | None:
    """Return which warning is to be given now, in days before the end; None where that was given,
    or it is too early. Where several were missed the last stands for all."""
    left = retain_until - now
    passed = [days for days in WARN_DAYS if left <= timedelta(days=days)]
    if not passed or (told_days is not None and told_days <= min(passed)):
        return None
    return min(passed)


def extended(retain_until: datetime, days: int, released_at: datetime, most: int) -> datetime:
    """Return the end of a retention that is made longer. `Invalid` (`too-long`) beyond so many days
    after the release."""
    until = retain_until + timedelta(days=days)
    if until > released_at + timedelta(days=most):
        raise invalid("days", "kept-too-long", most=most)
    return until


def is_purgeable(retain_until: datetime | None, is_held: bool, now: datetime) -> bool:
    """Return whether the bytes may be deleted: the last day has passed, and nobody holds them."""
    return retain_until is not None and retain_until <= now and not is_held


def is_collected(paths: Iterable[str], delivered: Collection[str]) -> bool:
    """Return whether all was delivered: the package (the empty path), or each of the files."""
    return "" in delivered or set(paths) <= set(delivered)


def bytes_allowed(size: int) -> int:
    """Return how many bytes one counted download of a file of this size may send in all. What was
    on its way when a connection broke is sent again: half of the file at most, so that nobody reads
    it twice, and 64 MiB of a large one."""
    return size + min(size // 2, MOST_AGAIN)


def check_link(expires_at: datetime, now: datetime, active: int) -> None:
    """Raise `Invalid` for a link that is over before it begins or lasts too long; `WrongState`
    (`too-many-links`) where there are enough."""
    if not now < expires_at <= now + timedelta(days=MOST_LINK_DAYS):
        raise invalid("expires_at", "link-days", most=MOST_LINK_DAYS)
    if active >= MOST_LINKS:
        raise WrongState("too-many-links", most=MOST_LINKS)
