"""Holding the whole trail against its seals.

Everything is computed anew from the rows as they lie in the database: each entry's canonical
JSON, its digest, its side row's, the roots and the chain of seals. Rows are streamed from a
cursor of the server, a batch of seals at a time, by several processes.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection, connections, transaction

from accounts.domain.canonical import canonical_json
from accounts.domain.seals import (
    SealFacts,
    Standing,
    Wrong,
    first_wrong,
    root,
    seal_digest,
    split,
)
from accounts.models import JobRun, Seal

BATCH = 50_000  # entries a process takes at a time
_ROWS = 5_000  # rows that are under way at once

ENTRY = """
to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.actor_id::text, e.action,
e.object_type, e.object_id::text, e.organisation_ids::text, e.region_ids::text, e.before::text,
e.after::text, e.request_id, encode(e.text_digest, 'hex'), e.id::text
"""
_SEALED = f"""
SELECT {ENTRY}, e.digest, t.salt, t.content::text, s.seal_id, s.position, s.entry_id::text,
    s.digest
FROM accounts_sealedentry s
LEFT JOIN accounts_trailentry e ON e.id = s.entry_id
LEFT JOIN accounts_trailtext t ON t.entry_id = s.entry_id
WHERE s.seal_id BETWEEN %s AND %s ORDER BY s.seal_id, s.position
"""  # noqa: S608  # nothing from outside
_UNSEALED = f"""
SELECT {ENTRY}, e.digest, t.salt, t.content::text, u.entry_id IS NOT NULL
FROM accounts_trailentry e
LEFT JOIN accounts_sealedentry s ON s.entry_id = e.id
LEFT JOIN accounts_unsealedentry u ON u.entry_id = e.id
LEFT JOIN accounts_trailtext t ON t.entry_id = e.id
WHERE s.entry_id IS NULL ORDER BY e.id
"""  # noqa: S608
_LOST = """
SELECT u.entry_id::text FROM accounts_unsealedentry u
LEFT JOIN accounts_trailentry e ON e.id = u.entry_id WHERE e.id IS NULL ORDER BY u.entry_id
"""
# Triggers that are gone or switched off.
_GUARDS = """
SELECT wanted FROM unnest(%s::text[]) wanted
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = wanted AND tgenabled IN ('O', 'A'))
"""
GUARDS = [
    "trailentry_append_only",
    "trailentry_no_truncate",
    "trailentry_unsealed",
    "trailtext_no_update",
    "trailtext_no_truncate",
    "seal_append_only",
    "seal_no_truncate",
    "sealedentry_append_only",
    "sealedentry_no_truncate",
]


@dataclass(frozen=True, order=True)
class Problem:
    """What is not as it was, and where: in which seal (0: in none), at which position, which
    entry. `code`: changed, removed, added, moved, text-changed, text-added, seal, chain, guard."""

    seal: int
    position: int
    code: str
    entry: str = ""

    def __str__(self) -> str:
        place = f"seal {self.seal}, position {self.position}" if self.seal else "in no seal"
        if self.code == "guard":
            return f"the guard {self.entry} is gone or switched off"
        if self.code in ("seal", "chain"):
            return f"seal {self.seal} {self.entry}"
        return f"entry {self.entry or 'unknown'} {_SAID[self.code]} ({place})"


_SAID = {
    "changed": "was changed",
    "removed": "was removed",
    "added": "was added",
    "moved": "was moved",
    "text-changed": "has another reason or free text than was written",
    "text-added": "had no free text when it was written",
}


@dataclass(frozen=True)
class Verified:
    """How much was looked at, and what is wrong, the first place first."""

    seals: int
    entries: int
    unsealed: int
    forgotten: int  # side rows that were erased; their entries still prove what they did
    problems: list[Problem]


def entry_content(row: Sequence[Any]) -> dict[str, Any]:
    """The columns of `ENTRY` as the object that is digested."""
    return {
        "at": row[0],
        "actor": row[1],
        "action": row[2],
        "object_type": row[3],
        "object_id": row[4],
        "organisations": _array(row[5]),
        "regions": _array(row[6]),
        "before": json.loads(row[7]),
        "after": json.loads(row[8]),
        "request": row[9],
        "text": row[10],
        "id": row[11],
    }


def _array(text: str) -> list[str]:
    return text[1:-1].split(",") if len(text) > 2 else []


def trail_verify(*, processes: int = 1, known: tuple[int, bytes] | None = None) -> Verified:
    """Everything that is not as it was sealed. `known`: the number and digest of a seal as
    somebody was told them outside the platform. With several processes each has a connection
    of its own, so what is not committed is not seen."""
    seals = list(Seal.objects.defer("digests").order_by("number"))
    problems = [Problem(0, 0, "guard", name) for name in _guards_down()]
    problems += _chain(seals, known)
    ranges = list(_ranges(seals))
    entries = forgotten = 0
    for found, looked_at, erased in _each(ranges, processes):
        problems += found
        entries += looked_at
        forgotten += erased
    found, unsealed = _unsealed()
    problems += found
    places = sorted(problems, key=lambda p: (p.seal == 0, p.seal, p.position, p.code))
    return Verified(len(seals), entries, unsealed, forgotten, places)


def _guards_down() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_GUARDS, [GUARDS])
        return [row[0] for row in cursor.fetchall()]


def _chain(seals: list[Seal], known: tuple[int, bytes] | None) -> Iterator[Problem]:
    previous, wanted = None, 1
    for seal in seals:
        if seal.number != wanted:
            yield Problem(wanted, 0, "chain", "was removed")
        elif (bytes(seal.previous) if seal.previous else None) != previous:
            yield Problem(seal.number, 0, "chain", "does not follow the one before it")
        if seal_digest(facts_of(seal)) != bytes(seal.digest):
            yield Problem(seal.number, 0, "seal", "says something else than its digest covers")
        previous, wanted = bytes(seal.digest), seal.number + 1
    if known is not None:
        number, digest = known
        if not any(s.number == number and bytes(s.digest) == digest for s in seals):
            yield Problem(number, 0, "chain", "is not the one whose digest you know")


def facts_of(seal: Seal) -> SealFacts:
    return SealFacts(
        number=seal.number,
        at=seal.at,
        count=seal.count,
        root=bytes(seal.root),
        previous=bytes(seal.previous) if seal.previous else None,
    )


def _ranges(seals: list[Seal]) -> Iterator[tuple[int, int]]:
    """First and last numbers of batches of seals."""
    first, held = None, 0
    for seal in seals:
        first = first or seal.number
        held += seal.count
        if held >= BATCH:
            yield first, seal.number
            first, held = None, 0
    if first is not None:
        yield first, seals[-1].number


type Found = tuple[list[Problem], int, int]


def _each(ranges: list[tuple[int, int]], processes: int) -> Iterable[Found]:
    if processes < 2 or len(ranges) < 2:
        return map(_verify_range, ranges)
    connections.close_all()  # a connection is not shared between processes
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        return list(pool.map(_verify_range, ranges))


def _verify_range(numbers: tuple[int, int]) -> Found:
    """Problems, entries looked at, side rows erased."""
    problems: list[Problem] = []
    entries = forgotten = 0
    seals = {seal.number: seal for seal in Seal.objects.filter(number__range=numbers)}
    seen: set[int] = set()
    for number, rows in groupby(_stream(_SEALED, numbers), key=lambda row: row[15]):
        standing, seal = [], seals.get(number)
        for row in rows:
            entries += 1
            digest = None
            if row[11] is not None:
                digest = hashlib.sha256(canonical_json(entry_content(row))).digest()
                problem = _text_problem(row)
                forgotten += row[10] is not None and row[13] is None
                if problem:
                    problems.append(Problem(number, row[16], problem, row[17]))
                if not digest == bytes(row[12]) == bytes(row[18]):
                    problems.append(Problem(number, row[16], "changed", row[17]))
            standing.append(Standing(row[16], row[17], digest))
        seen.add(number)
        problems += _seal_problems(number, seal, standing)
    problems += [
        problem
        for number in seals.keys() - seen
        for problem in _seal_problems(number, seals[number], [])
    ]
    return list(dict.fromkeys(problems)), entries, forgotten


def _seal_problems(number: int, seal: Seal | None, standing: list[Standing]) -> Iterator[Problem]:
    if seal is None:
        yield Problem(number, 0, "chain", "was removed")
        return
    sealed = split(bytes(seal.digests))
    if root(sealed) != bytes(seal.root) or len(sealed) != seal.count:
        yield Problem(number, 0, "seal", "does not come to its root")
        return
    wrong = first_wrong(sealed, standing)
    if wrong is not None:
        yield Problem(number, wrong[1], wrong[0].value, wrong[2])


def _text_problem(row: Sequence[Any]) -> str | None:
    salt, content = row[13], row[14]
    if salt is None:
        return None
    if row[10] is None:
        return "text-added"
    said = hashlib.sha256(bytes(salt) + canonical_json(json.loads(content))).hexdigest()
    return None if said == row[10] else "text-changed"


def _unsealed() -> tuple[list[Problem], int]:
    """Problems of what no seal holds, and how much waits for the next one."""
    problems, waiting = [], 0
    for row in _stream(_UNSEALED, ()):
        if not row[15]:
            # The trigger notes every entry for the next seal; this one came without it.
            problems.append(Problem(0, 0, Wrong.ADDED.value, row[11]))
            continue
        waiting += 1
        if hashlib.sha256(canonical_json(entry_content(row))).digest() != bytes(row[12]):
            problems.append(Problem(0, 0, Wrong.CHANGED.value, row[11]))
        if problem := _text_problem(row):
            problems.append(Problem(0, 0, problem, row[11]))
    problems += [Problem(0, 0, Wrong.REMOVED.value, row[0]) for row in _stream(_LOST, ())]
    return problems, waiting


def _stream(statement: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Rows from a cursor of the server, which keeps the memory flat."""
    with transaction.atomic(), connection.connection.cursor(name="trail") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(statement, values)
        yield from cursor


class TrailWrong(Exception):
    """The trail is not as it was sealed; says the first place."""


VERIFYING = "verify the trail"  # the job's name in the timetable


def trail_found_right() -> None:
    """`TrailWrong` with the first place that is not as it was sealed."""
    found = trail_verify()
    if found.problems:
        raise TrailWrong(f"{found.problems[0]}; {len(found.problems)} in all")


def last_verified() -> JobRun | None:
    """The last time the nightly job went through to its end."""
    runs = JobRun.objects.filter(entry=VERIFYING, outcome__in=["done", "failed"])
    return runs.order_by("-started_at", "-pk").first()
