"""Sealing and verifying a trail of many entries."""

import hashlib
import itertools
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.roles import Actor, Grant
from accounts.models import TrailEntry
from accounts.models.keys import new_id
from accounts.selectors.seals import Range, bundle_lines
from accounts.selectors.verification import trail_verify
from accounts.services.seals import trail_seal
from bookings.audit.selectors.trail import TrailQuery, entries_where, trail_page
from tests.benchmarks.measuring import Row, repeated, row_of

_ENTRY = (
    "COPY accounts_trailentry (id, at, actor_id, action, object_type, object_id, organisation_ids,"
    " region_ids, before, after, request_id, text_digest, digest) FROM STDIN"
)
_TEXT = "COPY accounts_trailtext (entry_id, salt, content) FROM STDIN"
_BATCH = 50_000
READS = (
    "the newest",
    "of one act",
    "of an act that is rare",
    "of one person",
    "of one record",
    "of a region with nothing",
    "far back",
)


@dataclass(frozen=True)
class Affair:
    """What entries are about: a row, and whose it is."""

    kind: str
    id: UUID
    organisations: Sequence[UUID]
    regions: Sequence[UUID]

    @classmethod
    def of(cls, row: Any) -> "Affair":
        organisations, regions = row.places()
        return cls(row._meta.model_name, row.pk, organisations, regions)


def _nowhere(chance: random.Random) -> list[Affair]:
    """Reservations that nobody has, in places that there are not."""
    places = [new_id() for _ in range(40)]
    return [
        Affair("reservation", new_id(), chance.sample(places, 2), chance.sample(places, 3))
        for _ in range(5_000)
    ]


# By what they are about.
ACTIONS = {"reservation": ("reservation.confirmed",), "charge": ("charge.create", "charge.final")}


def fill(
    count: int,
    *,
    people: Sequence[UUID] | None = None,
    affairs: Sequence[Affair] | None = None,
    start: datetime = datetime(2025, 1, 1, tzinfo=UTC),
) -> None:
    """So many entries, one each twenty seconds, every fourth with a reason, as reservations leave
    them: about these affairs by these people, or by such as there are not."""
    chance = random.Random(1)
    people = people or [new_id() for _ in range(500)]
    affairs = affairs or _nowhere(chance)
    for numbers in itertools.batched(range(count), _BATCH):
        rows, texts = [], []
        for n in numbers:
            affair = chance.choice(affairs)
            entry = TrailEntry(
                id=new_id(),
                at=start + timedelta(seconds=20 * n),
                actor_id=chance.choice(people),
                action=chance.choice(ACTIONS[affair.kind]),
                object_type=affair.kind,
                object_id=affair.id,
                organisation_ids=sorted(set(affair.organisations)),
                region_ids=sorted(set(affair.regions)),
                before={"state": "requested"},
                after={
                    "state": "confirmed",
                    "start": f"2026-03-{1 + n % 28:02}T08:00:00.000000Z",
                    "name": "透射电子显微镜",
                    "version": n % 7,
                },
                request_id=f"{n:032x}",
            )
            if n % 4 == 0:
                salt, content = os.urandom(16), {"reason": f"because {n}"}
                entry.text_digest = trail.text_digest(salt, content)
                texts.append((entry.pk, salt, canonical_json(content).decode()))
            entry.digest = hashlib.sha256(trail.canonical(entry)).digest()
            rows.append(
                (
                    *(entry.pk, entry.at, entry.actor_id, entry.action, entry.object_type),
                    *(entry.object_id, entry.organisation_ids, entry.region_ids),
                    canonical_json(entry.before).decode(),
                    canonical_json(entry.after).decode(),
                    *(entry.request_id, entry.text_digest, entry.digest),
                )
            )
        with transaction.atomic(), connection.cursor() as cursor:
            for statement, found in ((_ENTRY, rows), (_TEXT, texts)):
                with cursor.copy(statement) as copy:
                    for row in found:
                        copy.write_row(row)


def sealed(count: int) -> Row:
    """Filling is not counted; sealing is."""
    fill(count)
    began = time.perf_counter()
    made = trail_seal(now=datetime.now(UTC))
    taken = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE accounts_trailentry, accounts_sealedentry")
    return row_of(f"trail: seal {count:,} entries", 1, [taken], taken, more={"seals": str(len(made))})


def verified() -> Row:
    began = time.perf_counter()
    processes = os.cpu_count() or 1
    found = trail_verify(processes=processes)
    taken = time.perf_counter() - began
    if found.problems:
        raise AssertionError(found.problems[:3])
    return row_of(
        f"trail: verify {found.entries:,} entries", processes, [taken], taken, wanted="a million in < 60 s"
    )


def bundled() -> Row:
    began, size = time.perf_counter(), 0
    for line in bundle_lines(Range(), site="https://bench.example", now=datetime.now(UTC)):
        size += len(line)
    taken = time.perf_counter() - began
    return row_of("trail: a bundle of all", 1, [taken], taken, more={"MB": str(size // 10**6)})


def reading() -> Iterator[tuple[str, Callable[[], object]]]:
    """A page of fifty for an auditor of one region of many, by what is asked for."""
    entries = TrailEntry.objects.order_by("at")
    middle = entries.filter(at__gte=datetime(2025, 3, 1, tzinfo=UTC))[0]
    auditor = Actor(new_id(), (Grant("auditor", region_id=middle.region_ids[0]),))
    nowhere = Actor(new_id(), (Grant("auditor", region_id=new_id()),))
    wanted = {
        "the newest": (auditor, TrailQuery(), ""),
        "of one act": (auditor, TrailQuery(action="reservation.confirmed"), ""),
        "of an act that is rare": (auditor, TrailQuery(action="programme."), ""),
        "of one person": (auditor, TrailQuery(actor=str(middle.actor_id)), ""),
        "of one record": (auditor, TrailQuery(object_id=middle.object_id), ""),
        "of a region with nothing": (nowhere, TrailQuery(), ""),
        "far back": (auditor, TrailQuery(), f"{middle.at.isoformat()}_{middle.pk}"),
    }
    for name, (actor, query, after) in wanted.items():

        def read(number: int, actor: Actor = actor, query: TrailQuery = query, after: str = after) -> int:
            return len(trail_page(entries_where(actor, query), after).steps)

        yield name, read


def read(name: str, seconds: float) -> Row:
    act = dict(reading())[name]
    return repeated(f"trail: 50 entries {name}", act, seconds=seconds, wanted="p95 <= 80 ms")
