"""How a file of a hand-off may be called: so that it can be unpacked anywhere, and nowhere else."""

import re
import unicodedata

from accounts.domain.errors import invalid

MOST_CHARACTERS, MOST_LEVELS = 200, 20
MOST_BYTES = 255  # of a name, as file systems have it
_FORBIDDEN = frozenset('\\:*?"<>|')  # not on Windows
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, and what turns text round
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters that nobody sees
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.I)


def path_of(text: str) -> str:
    """Return a relative path, in Unicode's composed form; `Invalid` (path-wrong) for one that leads
    elsewhere, that some file system cannot have, or that a reader may take for another."""
    path = unicodedata.normalize("NFC", text)
    names = path.split("/")
    if not path or len(path) > MOST_CHARACTERS or len(names) > MOST_LEVELS:
        raise invalid("path", "path-too-long", most=MOST_CHARACTERS, levels=MOST_LEVELS)
    if not all(_is_name(name) for name in names):
        raise invalid("path", "path-wrong")
    return path


def _is_name(name: str) -> bool:
    return (
        name not in {"", ".", ".."}
        and name == name.strip()
        and not name.endswith(".")
        and not any(c in _FORBIDDEN | _BLANK or unicodedata.category(c) in _HIDDEN for c in name)
        and not _RESERVED.fullmatch(name)
        and len(name.encode()) <= MOST_BYTES
    )


def path_key(path: str) -> str:
    """Return what two paths share that some file system takes for the same: whatever their case."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
    return unicodedata.normalize("NFC", folded)


def folders_of(key: str) -> list[str]:
    """Return the folders that a path lies in, the outermost first."""
    names = key.split("/")[:-1]
    return ["/".join(names[: n + 1]) for n in range(len(names))]
