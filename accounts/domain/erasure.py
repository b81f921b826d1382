"""Rules for forgetting a person: they keep only an invented name and address that reveal nothing."""

import re
from dataclasses import dataclass
from uuid import UUID

# No mail ever goes there (RFC 2606).
NOWHERE = "erased.invalid"
# A shorter name is part of too many words to be looked for among others' texts.
SHORTEST_NAME = 5
_LATIN = "[A-Za-z0-9À-ɏ]"
_SYNTAX = re.compile(r'["\\{}\[\]:,]')
_WIDE = re.compile(r"[⺀-鿿가-힣豈-﫿]")


@dataclass(frozen=True)
class Pseudonym:
    """The invented name and address of a forgotten person. It depends only on the id that rows keep, so it is
    always the same for the same person."""

    name: str
    email: str


def pseudonym(person: UUID) -> Pseudonym:
    return Pseudonym(f"Former user {person.hex[-8:]}", f"{person.hex}@{NOWHERE}")


def leads_nowhere(address: str) -> bool:
    return address.endswith(f"@{NOWHERE}")


def is_telling(name: str) -> bool:
    """Return whether a name is long enough to identify somebody wherever it occurs: at least two Chinese
    characters, or five others."""
    return len(name) >= (2 if _WIDE.search(name) else SHORTEST_NAME)


def is_no_syntax(words: str) -> bool:
    """Return whether a name or an address can be looked for in JSON, of which it must be no part of its own,
    as the name of a field is, a literal or a sign."""
    if "@" in words:
        return True
    return _SYNTAX.search(words) is None and re.search(r"\s|[^\x00-\x7f]", words) is not None


def mention(words: str) -> str:
    """Return a regular expression for PostgreSQL that finds a name or an address, but not as part of a longer
    one. Only Latin letters before or after make it a longer one, since Chinese is written without spaces."""
    escaped = re.sub(r"\s+", r"\\s+", re.sub(r"([^\w\s])", r"\\\1", words))
    if "@" in words:
        return rf"(?<![A-Za-z0-9._%+-]){escaped}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
    start = rf"(?<!{_LATIN})" if re.match(_LATIN, words) else ""
    end = rf"(?!{_LATIN})" if re.match(_LATIN, words[-1]) else ""
    return start + escaped + end
