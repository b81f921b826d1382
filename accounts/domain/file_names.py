"""Check the names of uploaded files: each can be stored and unpacked on any system and never leads outside
its folder, even where a system or a reader confuses similar characters."""

import re
import unicodedata

MOST_BYTES = 255  # of a name, as file systems have it
_FORBIDDEN = frozenset('/\\:*?"<>|\0')  # not on Windows
# Signs that look like a slash and stay one by themselves in every normal form.
_SLASHES = "\u2044\u2215\u2216\u2571\u2572\u29f5\u29f8\u29f9"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, and what turns text round
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters that nobody sees
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.I)
_DRIVE = re.compile(r"[a-z]:", re.I)
NAMELESS = "-"


def is_file_name(name: str) -> bool:
    """Return whether a name, in Unicode's composed form, is a valid file name on every system, both as it is
    and with full-width characters replaced by plain ones, as some systems read it.

    Full-width punctuation is usual in Chinese names (`样品：1.csv`) and is allowed unless it changes where
    the name leads (`．．`, `a／b`, `Ｃ：`).
    """
    plain = unicodedata.normalize("NFKC", name)
    return (
        _is_plain_name(name)
        and plain not in {"", ".", ".."}
        and plain == plain.strip()
        and not plain.endswith(".")
        and not {"/", "\\"} & set(plain)
        and not set(_SLASHES) & set(name)
        and not _DRIVE.match(plain)
        and not _RESERVED.fullmatch(plain)
    )


def _is_plain_name(name: str) -> bool:
    return (
        name not in {"", ".", ".."}
        and name == name.strip()
        and not name.endswith(".")
        and not any(c in _FORBIDDEN | _BLANK or unicodedata.category(c) in _HIDDEN for c in name)
        and len(name.encode()) <= MOST_BYTES
    )


def file_name_of(text: str, most: int = 200, *, is_title: bool = False) -> str:
    """Return a name under which people can read and save a file: without characters that disguise it or keep
    it from being saved, and at most `most` characters long, cut at the beginning; `-` if nothing is left.
    Folders are dropped from the name of an upload; in a title (`is_title`), slashes become blanks."""
    text = text.encode("utf-8", "ignore").decode()  # without halves of pairs
    names = "".join("/" if _is_slash(sign) else sign for sign in text).split("/")
    name = unicodedata.normalize("NFC", " ".join(names) if is_title else names[-1])
    name = "".join(map(_kept, name))
    while len(name) > most or len(name.encode()) > MOST_BYTES:
        name = name[1:]
    while name and unicodedata.normalize("NFKC", name[-1])[-1] in ". ":
        name = name[:-1]
    name = " ".join(name.split())
    if name and not is_file_name(name):
        name = f"_{name[1 - most :]}"  # a name of a device
    return name if is_file_name(name) else NAMELESS


def _is_slash(sign: str) -> bool:
    return sign in _SLASHES or unicodedata.normalize("NFKC", sign) in {"/", "\\"}


def _kept(sign: str) -> str:
    if sign.isspace():
        return " "
    if sign in _BLANK or unicodedata.category(sign) in _HIDDEN:
        return ""
    return "_" if sign in _FORBIDDEN else sign
