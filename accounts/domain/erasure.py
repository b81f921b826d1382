"""What is left of a person who is forgotten: a name and an address that say nothing."""

import re
from dataclasses import dataclass
from uuid import UUID

# No mail ever goes there (RFC 2606).
NOWHERE = "erased.invalid"
# A shorter name is part of too many words to be looked for among others' texts.
SHORTEST_NAME = 5
_LATIN = "[A-Za-z0-9À-ɏ]"
_WIDE = re.compile(r"[⺀-鿿가-힣豈-﫿]")


@dataclass(frozen=True)
class Pseudonym:
    """Always the same for the same person, and made of nothing but the id that rows keep."""

    name: str
    email: str


def pseudonym(person: UUID) -> Pseudonym:
    return Pseudonym(f"Former user {person.hex[-8:]}", f"{person.hex}@{NOWHERE}")


def leads_nowhere(address: str) -> bool:
    return address.endswith(f"@{NOWHERE}")


def is_telling(name: str) -> bool:
    """Return whether a name is long enough to be somebody's wherever it is written: two characters
    of Chinese, five of others."""
    return len(name) >= (2 if _WIDE.search(name) else SHORTEST_NAME)


def mention(words: str) -> str:
    """Return a regular expression (PostgreSQL's) that finds a name or an address, and not a part of
    a longer one. Chinese is written without spaces, so only Latin letters before or after it make
    it another."""
    escaped = re.sub(r"\s+", r"\\s+", re.sub(r"([^\w\s])", r"\\\1", words))
    if "@" in words:
        return rf"(?<![A-Za-z0-9._%+-]){escaped}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
    start = rf"(?<!{_LATIN})" if re.match(_LATIN, words) else ""
    end = rf"(?!{_LATIN})" if re.match(_LATIN, words[-1]) else ""
    return start + escaped + end
