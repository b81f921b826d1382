"""Canonical JSON (RFC 8785) of what the trail holds: text, whole numbers, truth values, null,
lists and objects of these.

`rfc8785` is the definition. For a million entries it is too slow; Python's own encoder writes
the same bytes for such values, but for the order of names beyond the basic plane.
"""

import json
import re
from typing import Any

import rfc8785

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode
# Names beyond the basic plane are sorted differently.
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


def canonical_json(value: Any) -> bytes:
    """Return the bytes that a digest is taken over."""
    text = _encode(value)
    if not text.isascii() and _BEYOND.search(text):
        return rfc8785.dumps(value)
    return text.encode()
