"""Compute seals: Merkle trees hashed as in RFC 9162, and the chain of seals.

A leaf is SHA-256(00 || digest of an entry), a node SHA-256(01 || left || right); of n leaves the left part
has the largest power of two below n. docs/trail.md explains this in words.
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
    """Return the Merkle root over entries' digests in order; without entries, SHA-256 of the empty string."""
    level = [leaf(digest) for digest in digests]
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Return the next level of the tree: pairs are hashed from the left; a single one that is left over is
    passed up unchanged."""
    pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def path(digests: Sequence[bytes], position: int) -> list[bytes]:
    """Return the hashes that must be combined with an entry's, from the bottom up, to obtain the root (RFC
    9162, 2.1.3.1)."""
    level, steps = [leaf(digest) for digest in digests], []
    while len(level) > 1:
        beside = position ^ 1
        if beside < len(level):
            steps.append(level[beside])
        level, position = _above(level), position // 2
    return steps


def leads_to(root_: bytes, *, digest: bytes, position: int, count: int, path_: list[bytes]) -> bool:
    """Return whether a path proves that the entry belongs to the root (RFC 9162, 2.1.3.2)."""
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
    """The facts that a seal's own digest covers. `previous` is the digest of the seal before, None for the
    first."""

    number: int
    at: datetime
    count: int
    root: bytes
    previous: bytes | None


def known_seal(text: str) -> tuple[int, bytes]:
    """Return the number and the digest of a seal written as `7:9f86…`. Raise `Invalid` (`not-a-seal`)."""
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
    """Return SHA-256 over the canonical JSON of a seal's facts."""
    return hashlib.sha256(canonical_json(seal_facts_json(facts))).digest()


class Wrong(StrEnum):
    """Ways in which an entry can differ from what was sealed."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    MOVED = "moved"


@dataclass(frozen=True)
class Standing:
    """The entry that is stored now at one position of the sealed trail. `digest` is None if the position
    exists but the entry is gone."""

    position: int
    entry: str
    digest: bytes | None


def first_wrong(sealed: Sequence[bytes], standing: Sequence[Standing]) -> tuple[Wrong, int, str] | None:
    """Return the first entry that is not as it was sealed: what is wrong with it, its position, and its id
    (empty if nothing of it is left); None if all are right. `standing` is ordered by position."""
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
    """Split concatenated SHA-256 digests into a list."""
    return list(_parts(digests))


def _parts(digests: bytes) -> Iterator[bytes]:
    for start in range(0, len(digests), SIZE):
        yield digests[start : start + SIZE]
