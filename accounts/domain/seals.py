"""The arithmetic of seals: Merkle trees as RFC 9162 hashes them, and the chain of seals.

A leaf is SHA-256(00 || digest of an entry), a node SHA-256(01 || left || right); of n leaves
the left part has the largest power of two below n. docs/trail.md says the same in words.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from accounts.domain.canonical import canonical_json
from accounts.domain.errors import invalid

SIZE = 32  # bytes of a digest
MOST = 10_000  # entries of one seal
EMPTY = hashlib.sha256(b"").digest()


def leaf(digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + digest).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(digests: Iterable[bytes]) -> bytes:
    """Return the root over entries' digests in their order; of none, SHA-256 of nothing."""
    level = [leaf(digest) for digest in digests]
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Pairs from the left; one that is left over goes up as it is."""
    pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def path(digests: Sequence[bytes], position: int) -> list[bytes]:
    """Return what must be hashed with the entry at a position, from below, to come to the root (RFC
    9162, 2.1.3.1)."""
    level, steps = [leaf(digest) for digest in digests], []
    while len(level) > 1:
        beside = position ^ 1
        if beside < len(level):
            steps.append(level[beside])
        level, position = _above(level), position // 2
    return steps


def leads_to(root_: bytes, *, digest: bytes, position: int, count: int, path_: list[bytes]) -> bool:
    """Return whether a path proves an entry (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < count:
        return False
    first, last, value = position, count - 1, leaf(digest)
    for beside in path_:
        if last == 0:
            return False
        if first % 2 or first == last:
            value = node(beside, value)
            while first % 2 == 0 and first:
                first, last = first // 2, last // 2
        else:
            value = node(value, beside)
        first, last = first // 2, last // 2
    return last == 0 and value == root_


@dataclass(frozen=True)
class SealFacts:
    """What a seal's own digest covers. `previous` None: it is the first."""

    number: int
    at: datetime
    count: int
    root: bytes
    previous: bytes | None


def known_seal(text: str) -> tuple[int, bytes]:
    """`7:9f86…` as the number and digest of a seal; `Invalid` (`not-a-seal`) otherwise."""
    match = re.fullmatch(r"([0-9]{1,9}):([0-9a-fA-F]{64})", text.strip())
    if match is None:
        raise invalid("seal", "not-a-seal")
    return int(match[1]), bytes.fromhex(match[2])


def seal_facts_json(facts: SealFacts) -> dict[str, str | int | None]:
    return {
        "number": facts.number,
        "at": facts.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "count": facts.count,
        "root": facts.root.hex(),
        "previous": facts.previous.hex() if facts.previous else None,
    }


def seal_digest(facts: SealFacts) -> bytes:
    """SHA-256 over the canonical JSON of all the seal says."""
    return hashlib.sha256(canonical_json(seal_facts_json(facts))).digest()


class Wrong(StrEnum):
    """What can be wrong with an entry."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    MOVED = "moved"


@dataclass(frozen=True)
class Standing:
    """An entry where it stands now; `digest` None: its place is there, the entry is not."""

    position: int
    entry: str
    digest: bytes | None


def first_wrong(
    sealed: Sequence[bytes], standing: Sequence[Standing]
) -> tuple[Wrong, int, str] | None:
    """Return the first entry that is not as it was sealed: what is wrong with it, its position, and
    its id, empty where nothing is left that knows it. `standing` in the order of positions."""
    now = [row.digest for row in standing]
    known, present = set(sealed), set(now)
    for place, (expected, row) in enumerate(zip(sealed, standing, strict=False)):
        if row.digest == expected:
            continue
        if row.digest is None:
            return Wrong.REMOVED, place, row.entry
        if row.digest in known:
            # It was sealed elsewhere: the one that stood here is gone, or they changed places.
            if expected in present:
                return Wrong.MOVED, place, row.entry
            return Wrong.REMOVED, place, ""
        return (Wrong.ADDED if expected in present else Wrong.CHANGED), place, row.entry
    if len(standing) < len(sealed):
        return Wrong.REMOVED, len(standing), ""
    if len(standing) > len(sealed):
        return Wrong.ADDED, len(sealed), standing[len(sealed)].entry
    for place, row in enumerate(standing):
        if row.position != place:
            return Wrong.MOVED, place, row.entry
    return None


def split(digests: bytes) -> list[bytes]:
    """Digests that lie one after the other."""
    return list(_parts(digests))


def _parts(digests: bytes) -> Iterator[bytes]:
    for start in range(0, len(digests), SIZE):
        yield digests[start : start + SIZE]
