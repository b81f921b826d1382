"""Canonical JSON (RFC 8785) for the contents of the trail: texts, whole numbers, booleans, null, and lists
and objects of these.

`rfc8785` is the reference but too slow for a million entries. Python's own encoder writes the same bytes for
such values, except for the order of names with characters beyond the basic multilingual plane.
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
    """Return a value as canonical JSON, over which digests are taken."""
    text = _encode(value)
    if not text.isascii() and _BEYOND.search(text):
        return rfc8785.dumps(value)
    return text.encode()
