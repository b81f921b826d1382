"""How long programs may act for people who allowed it, until they ask again."""

from datetime import datetime, timedelta

CODE_LASTS = timedelta(seconds=60)
ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=90)  # since a program last fetched a token


def fetched_at(expires_at: datetime) -> datetime:
    """Return when a program last fetched a token with a permission that lasts until then."""
    return expires_at - REFRESH_LASTS
