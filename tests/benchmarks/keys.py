"""Keys that follow from numbers."""

from uuid import UUID

EPOCH = 0x019000000000  # milliseconds: June 2024


def key(kind: int, number: int) -> UUID:
    """The key of the nth row of a kind. As in those the platform makes, the first 48 bits tell
    when it was made: an index over keys that differ in their last bits alone would be no model
    of anything (GiST splits its pages by the first 53)."""
    made = f"{EPOCH + number:012x}"
    return UUID(f"{made[:8]}-{made[8:]}-7{kind:03x}-8000-000000000000")
