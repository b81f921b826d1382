"""Primary keys: UUID version 7, which sort by the time they were made.

Why UUIDs: `btree_gist` has no operators across integer types, and a bigint key loses the
exclusion constraint's index (see docs/decisions/0002-keys.md).
"""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

# What nobody takes for another when they read it out or type it: no 0, 1, I, L, O, S, U.
LETTERS = "23456789ABCDEFGHJKMNPQRTVWXYZ"


def new_id() -> UUID:
    return uuid7()


def new_code(length: int) -> str:
    """Return a random code that people can read and type."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))
