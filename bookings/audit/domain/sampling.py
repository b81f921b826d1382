"""Draw samples that anybody can draw again (docs/audit.md). static/bookings/draw_sample.py does the same
without the platform, and a test checks that the two agree."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

NAMES = ("id", "stratum", "value")


@dataclass(frozen=True)
class Sampling:
    """The plan of a sample: what to draw, from everything that began on the UTC days [`since`, `until`). If
    `seed` is empty, a random one is chosen."""

    subject: str
    method: str
    since: date
    until: date
    size: int
    seed: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Item:
    """A row of a population; `value` is in the smallest unit of its currency."""

    id: str
    stratum: str = ""
    value: int = 0


def population_csv(items: Iterable[Item]) -> bytes:
    """Return the population as CSV, in the form in which it is frozen: one row per item, sorted by id."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(NAMES)
    rows.writerows((item.id, item.stratum, item.value) for item in sorted(items, key=_by_id))
    return out.getvalue().encode()


def population_items(content: bytes) -> list[Item]:
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [Item(row["id"], row["stratum"], int(row["value"])) for row in rows]


def _by_id(item: Item) -> str:
    return item.id


def _number(seed: str, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{text}".encode()).digest(), "big")


def draw(items: Sequence[Item], *, method: str, seed: str, size: int) -> list[str]:
    """Return the ids drawn from the items, which must be in the order of their ids; the result is in that
    order too."""
    match method:
        case "random":
            drawn = _random(items, seed, size)
        case "stratified":
            drawn = _stratified(items, seed, size)
        case "monetary":
            drawn = _monetary(items, seed, size)
        case _:
            raise ValueError(method)
    return sorted(item.id for item in drawn)


def _random(items: Sequence[Item], seed: str, size: int) -> list[Item]:
    return sorted(items, key=lambda item: (_number(seed, item.id), item.id))[:size]


def parts_of(counts: dict[str, int], size: int) -> dict[str, int]:
    """Return how many items to draw from each stratum: in proportion to its size, the largest remainders
    rounded up."""
    whole = sum(counts.values())
    size = min(size, whole)
    parts = {name: size * count // whole for name, count in counts.items()}
    by_rest = sorted(counts, key=lambda name: (-(size * counts[name] % whole), name))
    for name in by_rest[: size - sum(parts.values())]:
        parts[name] += 1
    return parts


def _stratified(items: Sequence[Item], seed: str, size: int) -> list[Item]:
    strata: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        strata[item.stratum].append(item)
    parts = parts_of({name: len(rows) for name, rows in strata.items()}, size)
    return [item for name, rows in strata.items() for item in _random(rows, seed, parts[name])]


def _monetary(items: Sequence[Item], seed: str, size: int) -> list[Item]:
    interval = sum(abs(item.value) for item in items) // size
    if interval == 0:
        return [item for item in items if item.value]
    point, laid, left, drawn = _number(seed, "start") % interval, 0, size, []
    for item in items:
        laid += abs(item.value)
        is_drawn = False
        while left and point < laid:
            is_drawn, point, left = True, point + interval, left - 1
        if is_drawn:
            drawn.append(item)
    return drawn
