"""Primary keys: UUID version 7, which sort by the time they were made.

Why UUIDs: `btree_gist` has no operators across integer types, and a bigint key loses the
exclusion constraint's index (see docs/decisions/0002-keys.md).
"""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()
