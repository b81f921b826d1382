"""Limits of a tablet beside an instrument: how it shows names, and how many wrong codes it takes."""

from datetime import datetime, timedelta

LASTS = timedelta(days=90)
ENROL_WITHIN = timedelta(hours=24)
ENROL_LENGTH = 12  # characters from an alphabet of 28: 57 bits, used once, within a day
CODE_LASTS = timedelta(minutes=2)
# The number of wrong codes, of a million possible ones, after which a kiosk, or a code, is blocked.
MOST_WRONG, WRONG_WITHIN = 5, timedelta(minutes=10)
MOST_KIOSKS = 100  # of an organisation, in force
MOST_INSTRUMENTS = 30  # of a kiosk


def initials(name: str) -> str:
    """Return the part of a person's name that everybody may read: the first letters of its words, three at
    most; for a name in Chinese only, its first character."""
    words = name.split("@")[0].replace(".", " ").split()
    latin = [word for word in words if not "一" <= word[0] <= "鿿"]
    if words and not latin:
        return words[0][0] + "*"
    return "".join(word[0].upper() for word in latin[:3])


def is_blocked(wrong_codes: int, wrong_since: datetime | None, now: datetime) -> bool:
    """Say whether too many wrong codes were typed at a kiosk within a while."""
    return wrong_codes >= MOST_WRONG and wrong_since is not None and now < wrong_since + WRONG_WITHIN
