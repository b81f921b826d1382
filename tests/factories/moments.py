"""The time of the tests; nothing here needs Django, so that rules are tested without it."""

from datetime import UTC, datetime

# Thursday noon in China.
NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """An instant of the cast's wall clock: `2026-03-06 10:00`."""
    return datetime.fromisoformat(f"{text}:00+08:00").astimezone(UTC)
