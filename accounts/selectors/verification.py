"""Verify the whole trail against its seals.

Everything is recomputed from the rows as they are in the database: each entry's canonical JSON, its digest,
the digest of its side row, the roots and the chain of seals. Several processes stream the rows from server
cursors, a batch of seals at a time.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection, connections, transaction

from accounts.domain.canonical import canonical_json
from accounts.domain.seals import MOST, SealFacts, Standing, Wrong, first_wrong, root, seal_digest, split
from accounts.models import JobRun, Seal
from accounts.selectors.guards import guards_bypassed, guards_down

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
# Each role beside what the trail says of it: whose, which, where, and whether it was taken away.
_ROLES = """
SELECT coalesce(g.id, t.object_id)::text
FROM (SELECT id, ARRAY[user_id::text, role, organisation_id::text, region_id::text,
        facility_id::text, instrument_id::text,
        (revoked_at IS NOT NULL)::text] AS held FROM accounts_rolegrant) g
FULL JOIN (
    SELECT DISTINCT ON (object_id) object_id, ARRAY[told ->> 'user', told ->> 'role',
        told ->> 'organisation', told ->> 'region', told ->> 'facility', told ->> 'instrument',
        (action = 'role.revoke')::text] AS told
    FROM accounts_trailentry, LATERAL (SELECT CASE action WHEN 'role.revoke' THEN before
        ELSE after END) said(told)
    WHERE action IN ('role.grant', 'role.revoke') ORDER BY object_id, id DESC
) t ON t.object_id = g.id
WHERE g.held IS DISTINCT FROM t.told ORDER BY 1
"""
# What erasures say they took away: side rows by name, or before that was kept, how many.
_ERASURES = """
SELECT id::text, (after -> 'texts')::text, coalesce((after ->> 'reasons')::int, 0)
FROM accounts_trailentry WHERE action = 'user.erase' ORDER BY id
"""
# Digests in mails that the outbox still holds; it keeps them for a while.
_MAILED = """
SELECT DISTINCT (payload ->> 'seal')::int, payload ->> 'digest' FROM accounts_outboxmessage
WHERE key LIKE 'audit.seal:%%' AND payload ->> 'digest' ~ '^([0-9a-f]{2}){32}$' ORDER BY 1, 2
"""
# How far the clocks of an entry and of the seal it came into may lie apart: jobs run for an hour
# at most, and no transaction longer.
LATE = timedelta(hours=2)


@dataclass(frozen=True, order=True)
class Problem:
    """A difference from what was sealed: the seal (0: none), the position and the entry. `code`: changed,
    removed, added, moved, misdated, text-changed, text-added, text-removed, seal, chain, guard, bypass,
    role."""

    seal: int
    position: int
    code: str
    entry: str = ""

    def __str__(self) -> str:
        place = f"seal {self.seal}, position {self.position}" if self.seal else "in no seal"
        if self.code in _OF_DATABASE:
            return _OF_DATABASE[self.code].format(self.entry)
        if self.code in ("seal", "chain"):
            return f"seal {self.seal} {self.entry}"
        return f"entry {self.entry or 'unknown'} {_PROBLEMS[self.code]} ({place})"


_OF_DATABASE = {
    "guard": "the guard {} is missing, switched off or changed",
    "bypass": "{} does not belong to the platform and can bypass a guard",
    "role": "the role {} differs from what the trail says",
}
_PROBLEMS = {
    "changed": "was changed",
    "removed": "was removed",
    "added": "was added",
    "moved": "was moved",
    "text-changed": "has a different reason or free text than was written",
    "text-added": "had no free text when it was written",
    "text-removed": "has lost its free text, and no erasure says so",
    "misdated": "was written at a different time than it says",
}


@dataclass(frozen=True)
class Verified:
    """The outcome of a verification: how much was checked, and the problems, in the order of the trail."""

    seals: int
    entries: int
    unsealed: int
    forgotten: int  # side rows that were erased; their entries still prove what they did
    problems: list[Problem]
    newest: Seal | None = None  # to be compared with what was kept elsewhere


def entry_content(row: Sequence[Any]) -> dict[str, Any]:
    """Return the columns of `ENTRY` as the object over which the digest is taken."""
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


def trail_verify(*, processes: int = 1, known: Iterable[tuple[int, bytes]] = ()) -> Verified:
    """Find every difference from what was sealed. `known` gives numbers and digests of seals that somebody
    was told outside the platform. With several processes each has its own connection, so uncommitted rows are
    not seen."""
    seals = list(Seal.objects.defer("digests").order_by("number"))
    problems = [Problem(0, 0, "guard", name) for name in guards_down()]
    problems += [Problem(0, 0, "bypass", name) for name in guards_bypassed()]
    problems += [Problem(0, 0, "role", pk) for (pk,) in _stream(_ROLES, ())]
    mailed = ((number, bytes.fromhex(digest)) for number, digest in _stream(_MAILED, ()))
    problems += _chain(seals, {*known, *mailed})
    entries = 0
    lost: list[Problem] = []
    for wrong, looked_at, without_text in _each(list(_ranges(seals)), processes):
        problems += wrong
        entries += looked_at
        lost += without_text
    wrong, unsealed, without_text = _unsealed(_since(seals))
    problems += wrong
    lost += without_text
    problems += _unexplained(lost)
    newest = seals[-1] if seals else None
    found = sorted(problems, key=_place)
    return Verified(len(seals), entries, unsealed, len(lost), found, newest)


def _place(problem: Problem) -> tuple[bool, bool, int, int, bool, str]:
    """Return a sort key for problems: those of the database first, then seals in order, each before its
    entries, then entries that no seal holds."""
    code, seal, position = problem.code, problem.seal, problem.position
    is_of_entry = code not in ("seal", "chain")
    return code not in _OF_DATABASE, seal == 0, seal, position, is_of_entry, code


def _unexplained(lost: list[Problem]) -> list[Problem]:
    """Return the entries without their side row that no erasure in the trail explains. An erasure that
    recorded only a number explains up to that many earlier entries."""
    named: set[str] = set()
    last, allowed = "", 0
    for pk, texts, count in _stream(_ERASURES, ()):
        if texts is None:
            last, allowed = pk, allowed + count
        else:
            named.update(json.loads(texts))
    rest = [problem for problem in lost if problem.entry not in named]
    before = [problem for problem in rest if problem.entry < last]
    return rest if len(before) > allowed else [p for p in rest if p.entry >= last]


def _chain(seals: list[Seal], known: Iterable[tuple[int, bytes]]) -> Iterator[Problem]:
    previous, expected = None, 1
    for seal in seals:
        if seal.number != expected:
            yield Problem(expected, 0, "chain", "was removed")
        elif (bytes(seal.previous) if seal.previous else None) != previous:
            yield Problem(seal.number, 0, "chain", "does not follow the one before it")
        if seal_digest(facts_of(seal)) != bytes(seal.digest):
            yield Problem(seal.number, 0, "seal", "does not match its digest")
        previous, expected = bytes(seal.digest), seal.number + 1
    standing = {(seal.number, bytes(seal.digest)) for seal in seals}
    for number, _ in sorted(set(known) - standing):
        yield Problem(number, 0, "chain", "does not match the digest known outside")


def facts_of(seal: Seal) -> SealFacts:
    return SealFacts(
        number=seal.number,
        at=seal.at,
        count=seal.count,
        root=bytes(seal.root),
        previous=bytes(seal.previous) if seal.previous else None,
    )


@dataclass(frozen=True)
class Window:
    """The first and the last instant, each with the beginning of an id of that time, between which an entry
    of a seal was written."""

    first: tuple[str, str]
    last: tuple[str, str]

    def holds(self, at: str, pk: str) -> bool:
        """Return whether an entry was written within the window. Times are compared as texts, which sort like
        instants and are fast enough for a million entries."""
        is_timed = pk[14] == "7" and self.first[1] <= pk <= self.last[1]
        return is_timed and self.first[0] <= at <= self.last[0]


ALWAYS = ("", "")


def _edge(at: datetime) -> tuple[str, str]:
    """Return an instant as an entry's `at` is written, and the beginning of a UUIDv7 created at that
    instant."""
    moment = f"{int(at.timestamp() * 1000):012x}"
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), f"{moment[:8]}-{moment[8:]}"


def _since(seals: Iterable[Seal]) -> datetime | None:
    """Return the time of the last seal that was not full. Everything sealed later, or not at all, was written
    after it, whereas a full seal may have left entries to the next."""
    return max((seal.at for seal in seals if seal.count < MOST), default=None)


def _window(since: datetime | None, until: datetime | None) -> Window:
    return Window(_edge(since - LATE) if since else ALWAYS, _edge(until + LATE) if until else ("~", "~"))


type Range = tuple[int, int, dict[int, Window]]


def _ranges(seals: list[Seal]) -> Iterator[Range]:
    """Yield batches of seals: the first and the last number, and the window of time for each seal's
    entries."""
    first, held, since = None, 0, None
    windows: dict[int, Window] = {}
    for seal in seals:
        first = first or seal.number
        held += seal.count
        windows[seal.number] = _window(since, seal.at)
        since = seal.at if seal.count < MOST else since
        if held >= BATCH:
            yield first, seal.number, windows
            first, held, windows = None, 0, {}
    if first is not None:
        yield first, seals[-1].number, windows


type Looked = tuple[list[Problem], int, list[Problem]]


def _each(ranges: list[Range], processes: int) -> Iterable[Looked]:
    if processes < 2 or len(ranges) < 2:
        return map(_verify_range, ranges)
    connections.close_all()  # a connection is not shared between processes
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        return list(pool.map(_verify_range, ranges))


def _verify_range(numbers: Range) -> Looked:
    """Verify a range of seals. Return the problems, the number of entries checked, and the entries whose side
    row is missing."""
    problems: list[Problem] = []
    lost: list[Problem] = []
    entries = 0
    first, last, windows = numbers
    seals = {seal.number: seal for seal in Seal.objects.filter(number__range=(first, last))}
    seen: set[int] = set()
    for number, rows in groupby(_stream(_SEALED, (first, last)), key=lambda row: row[15]):
        standing, seal, window = [], seals.get(number), windows.get(number)
        for row in rows:
            entries += 1
            digest = None
            if row[11] is not None:
                digest = hashlib.sha256(canonical_json(entry_content(row))).digest()
                problem = _text_problem(row)
                if problem:
                    problems.append(Problem(number, row[16], problem, row[17]))
                if row[10] is not None and row[13] is None:
                    lost.append(Problem(number, row[16], "text-removed", row[17]))
                if not digest == bytes(row[12]) == bytes(row[18]):
                    problems.append(Problem(number, row[16], "changed", row[17]))
                if window is not None and not window.holds(row[0], row[11]):
                    problems.append(Problem(number, row[16], "misdated", row[17]))
            standing.append(Standing(row[16], row[17], digest))
        seen.add(number)
        problems += _seal_problems(number, seal, standing)
    problems += [
        problem for number in seals.keys() - seen for problem in _seal_problems(number, seals[number], [])
    ]
    return list(dict.fromkeys(problems)), entries, lost


def _seal_problems(number: int, seal: Seal | None, standing: list[Standing]) -> Iterator[Problem]:
    if seal is None:
        yield Problem(number, 0, "chain", "was removed")
        return
    sealed = split(bytes(seal.digests))
    if root(sealed) != bytes(seal.root) or len(sealed) != seal.count:
        yield Problem(number, 0, "seal", "does not lead to its root")
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
    digest = hashlib.sha256(bytes(salt) + canonical_json(json.loads(content))).hexdigest()
    return None if digest == row[10] else "text-changed"


def _unsealed(since: datetime | None) -> Looked:
    """Verify the entries that no seal holds, all of which must have been written after `since`. Return the
    problems, how many entries wait for the next seal, and those whose side row is missing."""
    problems, waiting, lost = [], 0, []
    window = _window(since, None)
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
        if row[10] is not None and row[13] is None:
            lost.append(Problem(0, 0, "text-removed", row[11]))
        if not window.holds(row[0], row[11]):
            problems.append(Problem(0, 0, "misdated", row[11]))
    problems += [Problem(0, 0, Wrong.REMOVED.value, row[0]) for row in _stream(_LOST, ())]
    return problems, waiting, lost


def _stream(statement: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield rows from a server cursor, so that memory use stays flat."""
    with transaction.atomic(), connection.connection.cursor(name="trail") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(statement, values)
        yield from cursor


class TrailWrong(Exception):
    """The trail differs from what was sealed; the message names the first place."""


VERIFYING = "verify the trail"  # the job's name in the timetable


def trail_found_right() -> None:
    """Raise `TrailWrong`, naming the first place, if the trail differs from what was sealed."""
    report = trail_verify()
    if report.problems:
        raise TrailWrong(f"{report.problems[0]}; {len(report.problems)} in all")


def last_verified() -> JobRun | None:
    """Return the last run of the nightly verification that was completed; None if there is none."""
    runs = JobRun.objects.filter(entry=VERIFYING, outcome__in=["done", "failed"])
    return runs.order_by("-started_at", "-pk").first()
