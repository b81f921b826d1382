"""Read seals and the proofs of entries, and export them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.domain.seals import known_seal, path, seal_digest, seal_facts_json, split
from accounts.models import Seal, SealedEntry, TrailText, UnsealedEntry
from accounts.selectors.verification import ENTRY, entry_content, facts_of

FORMAT, VERSION = "instrument-commons-trail", 1
_ROWS = 2_000
_SEALS = """
SELECT min(s.seal_id), max(s.seal_id) FROM accounts_sealedentry s
JOIN accounts_trailentry e ON e.id = s.entry_id
WHERE (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
"""
_SHOWN = """(%(regions)s::uuid[] IS NULL OR e.region_ids && %(regions)s::uuid[]
    OR coalesce(e.actor_id = %(person)s::uuid, FALSE))"""
_ENTRIES = f"""
SELECT {ENTRY}, encode(t.salt, 'hex'), t.content::text, s.position, s.entry_id::text,
    e.id IS NULL OR {_SHOWN}
FROM accounts_sealedentry s
LEFT JOIN accounts_trailentry e ON e.id = s.entry_id
LEFT JOIN accounts_trailtext t ON t.entry_id = s.entry_id
WHERE s.seal_id = %(seal)s ORDER BY s.position
"""  # noqa: S608  # nothing from outside
# Entries in no seal and not noted for the next one either: they were not written by the platform.
_STRAY = f"""
SELECT {ENTRY}, encode(t.salt, 'hex'), t.content::text
FROM accounts_trailentry e
LEFT JOIN accounts_trailtext t ON t.entry_id = e.id
WHERE NOT EXISTS (SELECT FROM accounts_sealedentry s WHERE s.entry_id = e.id)
AND NOT EXISTS (SELECT FROM accounts_unsealedentry u WHERE u.entry_id = e.id)
AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s) AND {_SHOWN} ORDER BY e.id
"""  # noqa: S608


def seals() -> QuerySet[Seal]:
    """Return all seals, newest first, without the digests of their entries."""
    return Seal.objects.defer("digests").order_by("-number")


def unsealed_count(most: int = 100_000) -> int:
    """Return how many entries of the trail wait for the next seal."""
    return UnsealedEntry.objects.all()[:most].count()


def unsealed_since() -> datetime | None:
    """Return when the oldest entry that waits for the next seal was written. Ids sort by time."""
    rows = UnsealedEntry.objects.order_by("pk").values_list("entry__at", flat=True)
    return rows.first()


def seals_like(text: str) -> list[Seal]:
    """Return the stored seal that equals one somebody holds, written `NUMBER:DIGEST`, as a list of one. The
    list is empty if the chain does not contain it, which means that history was rewritten. Raise `Invalid`
    (`not-a-seal`) for another text."""
    number, digest = known_seal(text)
    rows = seals().filter(number=number, digest=digest)
    return [seal for seal in rows if seal_digest(facts_of(seal)) == digest]


def seal_json(seal: Seal) -> dict[str, Any]:
    """Return a seal as JSON: what its digest covers, and the digest."""
    return {**seal_facts_json(facts_of(seal)), "digest": bytes(seal.digest).hex()}


def proof_of(entry: Any) -> dict[str, Any] | None:
    """Return everything that proves one entry of the trail; None if no seal holds it yet. It takes three
    statements."""
    place = SealedEntry.objects.filter(pk=entry.pk).select_related("seal").first()
    if place is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {ENTRY} FROM accounts_trailentry e WHERE e.id = %s",  # noqa: S608
            [entry.pk],
        )
        content = entry_content(cursor.fetchone())
    text = TrailText.objects.filter(pk=entry.pk).first()
    digests = split(bytes(place.seal.digests))
    return {
        "format": FORMAT,
        "kind": "proof",
        "version": VERSION,
        "entry": content,
        "text": {"salt": bytes(text.salt).hex(), "content": text.content} if text else None,
        "digest": bytes(place.digest).hex(),
        "position": place.position,
        "path": [step.hex() for step in path(digests, place.position)],
        "seal": seal_json(place.seal),
    }


@dataclass(frozen=True)
class Range:
    """The range of a bundle: entries from `since` to before `until` (None: without a limit), either all
    (`regions` None) or those that an auditor of `regions` may read."""

    since: datetime | None = None
    until: datetime | None = None
    regions: Sequence[UUID] | None = None
    region_codes: Sequence[str] = ()
    person: UUID | None = None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "since": self.since,
            "until": self.until,
            "regions": list(self.regions) if self.regions is not None else None,
            "person": self.person,
        }


def bundle_size(range_: Range) -> int:
    """Return how many entries of the trail a bundle will hold."""
    first, last = _seals_of(range_)
    if first is None:
        return 0
    return sum(Seal.objects.filter(number__range=(first, last)).values_list("count", flat=True))


def bundle_lines(range_: Range, *, site: str, now: datetime) -> Iterator[bytes]:
    """Yield the lines of a bundle as JSON Lines (docs/trail.md): a manifest, each seal with its entries, and
    an end. The range is widened to whole seals, since only these prove anything; entries that the reader may
    not see are represented by their digest alone. Memory use does not grow with the range."""
    first, last = _seals_of(range_)
    yield _line(
        {
            "kind": "manifest",
            "format": FORMAT,
            "version": VERSION,
            "site": site,
            "made_at": now.isoformat(),
            "from": range_.since.isoformat() if range_.since else None,
            "until": range_.until.isoformat() if range_.until else None,
            "regions": None if range_.regions is None else sorted(range_.region_codes),
            "first_seal": first,
            "last_seal": last,
            "entries": bundle_size(range_),
        }
    )
    if first is not None and last is not None:
        for number in range(first, last + 1):
            yield from _seal_lines(number, range_)
    for row in _stream(_STRAY, range_.values):
        yield _entry_line(row, None, None, row[11])
    yield _line({"kind": "end"})


def _seals_of(range_: Range) -> tuple[int | None, int | None]:
    if range_.since is None and range_.until is None:
        last = Seal.objects.order_by("-number").values_list("number", flat=True).first()
        return (1, last) if last else (None, None)
    with connection.cursor() as cursor:
        cursor.execute(_SEALS, {"since": range_.since, "until": range_.until})
        first, last = cursor.fetchone()
        return first, last


def _seal_lines(number: int, range_: Range) -> Iterator[bytes]:
    seal = Seal.objects.filter(number=number).first()
    if seal is None:
        return  # the verifier names it
    digests = [digest.hex() for digest in split(bytes(seal.digests))]
    yield _line({"kind": "seal", **seal_json(seal), "digests": digests})
    for row in _stream(_ENTRIES, {**range_.values, "seal": number}):
        if row[16]:
            yield _entry_line(row, number, row[14], row[15])
        else:
            yield _line({"kind": "entry", "seal": number, "position": row[14], "withheld": True})


def _entry_line(row: Sequence[Any], seal: int | None, position: int | None, name: str) -> bytes:
    text = None
    if row[12] is not None:
        text = {"salt": row[12], "content": json.loads(row[13])}
    return _line(
        {
            "kind": "entry",
            "seal": seal,
            "position": position,
            "id": name,
            "entry": entry_content(row) if row[11] is not None else None,
            "text": text,
        }
    )


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _line(content: dict[str, Any]) -> bytes:
    return _encode(content).encode() + b"\n"


def _stream(statement: str, values: dict[str, Any]) -> Iterator[Sequence[Any]]:
    # One transaction a seal: what is sealed does not change, and nothing is held open for long.
    with transaction.atomic(), connection.connection.cursor(name="bundle") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(statement, values)
        yield from cursor
