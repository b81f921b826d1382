"""Count what waits for a person in every part of the platform: how many rows of each kind that areas name
in their manifests, counted once for the home page and for the navigation."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import (
    BooleanField,
    Count,
    DateField,
    DecimalField,
    ExpressionWrapper,
    F,
    Min,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, TruncDate

from accounts.areas import areas, computed
from accounts.domain.roles import Actor
from accounts.menu import Waits
from accounts.prepared import PreparedFor

# Seconds for which a count may be outdated when another person has acted.
KEPT = 60


@dataclass(frozen=True)
class Waiting:
    """How many things of one kind wait for a person. `sums` are the amounts by currency and by whether the
    payer is the host itself (true); `due` is the earliest day."""

    what: str
    number: int
    sums: tuple[tuple[str, bool, Decimal], ...] = ()
    due: date | None = None


@computed
def kinds() -> dict[str, Waits]:
    """Return all kinds of things that may wait for a person, the most urgent first."""
    named = sorted((each for area in areas() for each in area.waits), key=lambda each: each.urgency)
    return {each.what: each for each in named}


def kinds_at(entry: str) -> Sequence[Waits]:
    """Return the kinds that are counted at an entry of the navigation."""
    return _by_entry().get(entry, ()) if entry else ()


@computed
def _by_entry() -> dict[str, list[Waits]]:
    found: dict[str, list[Waits]] = {}
    for kind in kinds().values():
        if not kind.watched:
            for entry in kind.entry.split():
                found.setdefault(entry, []).append(kind)
    return found


def load_work(actor: Actor, now: datetime) -> list[Waiting]:
    """Return everything that waits for a person, and cache its counts for the navigation. It takes one
    statement."""
    waiting = load_waiting(actor, now, kinds().values())
    _keep(actor, {each.what: each.number for each in waiting}, now.timestamp() + KEPT, KEPT)
    return waiting


def load_counts(actor: Actor, now: datetime, anew: Collection[str] = ()) -> dict[str, int]:
    """Return how much of each kind waits for a person. The counts are cached for `KEPT` seconds, until the
    person acts (`counts_forget`) or their roles change; kinds in `anew`, as on the page that lists their
    rows, are counted afresh. It takes at most one statement."""
    kept = cache.get(_key(actor))
    if not kept or kept[0] != _rights(actor):
        return {each.what: each.number for each in load_work(actor, now)}
    _, counts, until = kept
    some = [kind for kind in kinds().values() if kind.what in anew and kind.has(actor)]
    if some:
        found = {each.what: each.number for each in load_waiting(actor, now, some)}
        counts = {what: n for what, n in counts.items() if what not in anew} | found
        # Counts that were not refreshed keep their time of expiry.
        _keep(actor, counts, until, max(1, round(until - now.timestamp())))
    return dict(counts)


def counts_forget(user_id: object) -> None:
    """Discard the cached counts of a person who has acted, so that their next page shows fresh ones."""
    cache.delete(f"waits-for-{user_id}")


def _keep(actor: Actor, counts: dict[str, int], until: float, seconds: int) -> None:
    cache.set(_key(actor), (_rights(actor), counts, until), seconds)


def _key(actor: Actor) -> str:
    return f"waits-for-{actor.person}"


def _rights(actor: Actor) -> tuple[frozenset[object], frozenset[object]]:
    return frozenset(actor.grants), frozenset(actor.organisations)


def load_waiting(actor: Actor, now: datetime, some: Iterable[Waits]) -> list[Waiting]:
    """Return how many things of these kinds wait for a person, the most urgent kind first, without kinds of
    which there are none. It takes one statement."""
    asked = {kind.what: kind for kind in some if kind.rows is not None and kind.has(actor)}
    if not asked:
        return []

    def build(actor: Actor, now: datetime) -> QuerySet[Any]:
        first, *others = (_counted(kind, actor, now) for kind in asked.values())
        return first.union(*others, all=True) if others else first

    waiting: dict[str, list[Any]] = {}
    for row in prepared().rows(tuple(asked), build, actor, now):
        waiting.setdefault(row[0], []).append(row[1:])
    return [
        Waiting(
            what,
            sum(number for *_, number, _, _ in rows),
            tuple(sorted((currency, own, total) for currency, own, _, total, _ in rows if currency)),
            min((due for *_, due in rows if due is not None), default=None),
        )
        for what in kinds()
        if (rows := waiting.get(what))
    ]


@computed
def prepared() -> PreparedFor:
    """Return the compiled queries that count what waits; they are shared by all people with the same
    roles."""
    return PreparedFor()


def _counted(kind: Waits, actor: Actor, now: datetime) -> QuerySet[Any]:
    assert kind.rows is not None
    rows: QuerySet[Any] = kind.rows(actor, now)
    money: DecimalField[Any, Any] = DecimalField(max_digits=20, decimal_places=3)
    has_currency = kind.group == "currency"
    is_own: Any = Q(**{kind.payer: F("host")}) if kind.payer else Value(value=False)
    columns = {
        "its_kind": Value(kind.what, output_field=TextField()),
        "its_currency": Cast(F("currency") if has_currency else Value(""), output_field=TextField()),
        "its_own": ExpressionWrapper(is_own, output_field=BooleanField()),
        "its_number": Count("pk", distinct=True),
        "its_sum": Cast(Sum(kind.amount) if kind.amount else Value(None), money),
        # The day of a moment depends on the reader's time zone.
        "its_due": TruncDate(Min(kind.until))
        if kind.until
        else Cast(Min(kind.due) if kind.due else Value(None), DateField()),
    }
    grouped: QuerySet[Any] = rows.order_by().values(kind.group).annotate(**columns)
    counted: QuerySet[Any] = grouped.values_list(*columns)
    return counted
