"""What a tablet beside an instrument may show and take, and for how long."""

from datetime import datetime, timedelta

LASTS = timedelta(days=90)
ENROL_WITHIN = timedelta(hours=24)
ENROL_LENGTH = 12  # of an alphabet of 28: 57 bits, once, for a day
CODE_LASTS = timedelta(minutes=2)
# So many of the million codes of six digits may be tried at a kiosk, or against one code.
MOST_WRONG, WRONG_WITHIN = 5, timedelta(minutes=10)
MOST_KIOSKS = 100  # of an organisation, in force
MOST_INSTRUMENTS = 30  # of a kiosk


def initials(name: str) -> str:
    """Return what of a person's name anybody may read: the first letters of its words, three at
    most; of a name in Chinese alone its first character."""
    words = name.split("@")[0].replace(".", " ").split()
    latin = [word for word in words if not "一" <= word[0] <= "鿿"]
    if words and not latin:
        return words[0][0] + "*"
    return "".join(word[0].upper() for word in latin[:3])


def is_blocked(wrong_codes: int, wrong_since: datetime | None, now: datetime) -> bool:
    """Whether too many wrong codes were typed at a kiosk within a while."""
    return (
        wrong_codes >= MOST_WRONG and wrong_since is not None and now < wrong_since + WRONG_WITHIN
    )
