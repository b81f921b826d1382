"""Decide which names a file of a delivery may have, so that every system can unpack it, and only into its own
folder."""

import unicodedata

from accounts.domain.errors import invalid
from accounts.domain.file_names import is_file_name

MOST_CHARACTERS, MOST_LEVELS = 200, 20


def path_of(text: str) -> str:
    """Return a relative path in Unicode's composed form. Raise `Invalid` (path-wrong) for one that leads
    outside the folder, is not allowed on some file system, or could be mistaken for another."""
    path = unicodedata.normalize("NFC", text)
    names = path.split("/")
    if not path or len(path) > MOST_CHARACTERS or len(names) > MOST_LEVELS:
        raise invalid("path", "path-too-long", most=MOST_CHARACTERS, levels=MOST_LEVELS)
    if not all(is_file_name(name) for name in names):
        raise invalid("path", "path-wrong")
    return path


def path_key(path: str) -> str:
    """Return a key that is equal for paths which some file system cannot tell apart, such as those that
    differ only in case."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
    return unicodedata.normalize("NFC", folded)


def folders_of(key: str) -> list[str]:
    """Return the folders that a path lies in, the outermost first."""
    names = key.split("/")[:-1]
    return ["/".join(names[: n + 1]) for n in range(len(names))]
