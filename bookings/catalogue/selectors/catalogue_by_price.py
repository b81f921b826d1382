"""Find instruments in the order of their price without pricing them all.

Only the cheapest are priced: for each currency and price group the cards with the lowest price for an hour
with set-up and tax, by the indexes of `RateCard`. These prices give a cap. What may cost less than the cap is
found by an index too, since a price is at least the card's rate, or its share for the shortest time that is
billed. Some instruments are always priced: the payer's own, those priced for less than an hour, those whose
price is by way of working, and those of a host that moves to another region.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.domain.currencies import MINOR_DIGITS
from bookings.catalogue.selectors import catalogue_sieve
from bookings.catalogue.selectors.catalogue_rules import SETUP, TAX
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import records_of

# Up to so many matches no cap is needed; up to so many it is looked for among their own cards, since most of
# the cheapest of all are those of others.
PRICED, HELD = 1_000, 10_000

_OFFSET = f"(CASE WHEN %(worths)s::jsonb ? k.code THEN 0 ELSE {catalogue_sieve.OTHER_CURRENCY} END)"
_PER_UNIT = "coalesce((%(worths)s::jsonb ->> k.code)::numeric, 1)"
_NO_SHORTER = "least(60, %(wished)s, coalesce(%(minutes)s::int, 60))"
_CAP = f"""
    (((SELECT max(place) FROM cap) - {_OFFSET}) / {_PER_UNIT}
        + 2 * power(10::numeric, -coalesce((%(digits)s::jsonb ->> k.code)::int, 2))) * 100
"""  # noqa: S608  # names of ours; every value is bound
_OWN = "SELECT o.id FROM instruments_instrument o WHERE o.organisation_id = %(payer)s::uuid"
_IS_SHORTER = f"""
    EXISTS (SELECT FROM instruments_bookingpolicy p WHERE p.instrument_id = c.instrument_id
        AND ({catalogue_sieve.LENGTH}) < %(wished)s)
"""
_IN_ANY_CASE = f"""
    SELECT p.instrument_id FROM instruments_bookingpolicy p
    WHERE p.min_minutes < {_NO_SHORTER} AND ({catalogue_sieve.LENGTH}) < {_NO_SHORTER}
    UNION ALL
    SELECT c.instrument_id FROM instruments_ratecard c WHERE c.published_at IS NOT NULL AND c.card ? 'usage'
    UNION ALL
    SELECT o.id FROM instruments_instrument o WHERE o.organisation_id IN (
        SELECT m.organisation_id FROM accounts_organisationmove m
        WHERE {catalogue_sieve.AHEAD} AND m.starts_on <= %(last_day)s
    )
"""  # noqa: S608  # names of ours; every value is bound
_HELD_CARDS = "held"
_HELD = """
    matched AS MATERIALIZED ({}),
    held AS MATERIALIZED (SELECT c.* FROM matched m JOIN instruments_ratecard c ON c.instrument_id = m.id)
"""


def by_price(
    criteria: Criteria,
    sieve: catalogue_sieve.Sieve,
    fitting: str,
    given: Sequence[Any],
    *,
    after: catalogue_sieve.Place | None,
    most: int,
    skip: int,
) -> list[Instrument]:
    """Return `candidates`, restricted to the ids that the SQL `fitting` gives, in the order of price. If they
    are few, all are priced; a statement counts them first, because the one for many takes longer to plan. If
    they are many, enough of the cheapest cards are priced to give a cap, of those that match if these can be
    held; if the cards yield too few instruments, the next statement examines more cards, and the last one all
    instruments."""
    number = _number(fitting, given)
    is_held = PRICED < number <= HELD
    held, cards = "", "instruments_ratecard"
    if is_held:
        held, cards = f"{_HELD.format(fitting)}, ", _HELD_CARDS
    values = sieve.values | {"most": most, "skip": skip, "enough": 2 * (skip + most)}
    values |= dict(zip(("place", "name", "pk"), after or (), strict=False))
    past = "(place, name, id) > (%(place)s::numeric, %(name)s, %(pk)s)" if after else "true"
    by = "place, name, id"
    # Each place once: flattened, it would be computed for the condition and for the answer.
    priced, once = f"SELECT i.*, {catalogue_sieve.PRICE} AS place FROM", "OFFSET 0"

    def among(ids: str) -> str:
        """Return SQL that looks each id up by its key, whatever number of them the planner expects."""
        distinct = f"(SELECT DISTINCT u.* FROM ({ids}) u(pk)) d"  # noqa: S608
        if is_held:
            of_these = f"SELECT m.* FROM {distinct} JOIN matched m ON m.id = d.pk {once}"  # noqa: S608
            return f"{priced} ({of_these}) i {once}"
        return f"""
            {priced} {distinct} CROSS JOIN LATERAL (
                SELECT * FROM ({fitting}) f WHERE f.id = d.pk OFFSET 0
            ) i {once}
        """  # noqa: S608

    cheapest = among(_cheapest(sieve, cards, fitting, is_after=after is not None))
    capped = f"""
        WITH {held}cap AS MATERIALIZED (
            SELECT place FROM ({cheapest}) f WHERE {past} ORDER BY place LIMIT 1 OFFSET %(enough)s - 1
        )
        SELECT * FROM ({among(_below_cap(sieve, cards))}) p
        WHERE {past} AND place <= (SELECT max(place) FROM cap) ORDER BY {by} {once}
    """  # noqa: S608
    whole = f"SELECT * FROM ({priced} ({fitting}) i {once}) p WHERE {past} ORDER BY {by} {once}"  # noqa: S608
    every = sorted(MINOR_DIGITS)
    known = sorted(set(sieve.worths) & set(MINOR_DIGITS)) or every
    price = catalogue_sieve.raw(
        re.sub(r"\bi\.", "instruments_instrument.", catalogue_sieve.PRICE), (), values
    )
    shown: list[Instrument] = []
    # Prices of cards, by which the cheapest are found, have the tax that some payers owe themselves.
    attempts = (
        [None]
        if number <= PRICED or sieve.reversed_hosts
        else [every, None]
        if is_held
        else [known, every, None]
    )
    for currencies in attempts:
        rows = whole if currencies is None else capped
        ids = catalogue_sieve.raw(
            catalogue_sieve.passing(rows, sieve, by),
            [*given] * rows.count(fitting),
            values | {"currencies": currencies},
        )
        shown = records_of(criteria, ids, price)
        if shown:  # `most`, or all of few
            break
    return shown


def _number(fitting: str, given: Sequence[Any]) -> int:
    """Return the number of matches, of which no more are counted than tells how they are looked through."""
    counted = f"SELECT count(*) FROM (SELECT FROM ({fitting}) s LIMIT {HELD + 1}) n"  # noqa: S608
    some = catalogue_sieve.raw(counted, given, {})
    with connection.cursor() as cursor:
        cursor.execute(some.sql, some.params)
        return int(cursor.fetchone()[0])


def _asking(group: str, hours: str = "1") -> str:
    """Return SQL for the price on a card `c` of some hours, or one sample, with set-up and tax, in
    hundredths."""
    rate = f"(c.card #>> '{{rates,{group}}}')::numeric"
    if hours != "1":
        rate += f" * CASE WHEN c.card ->> 'rate_unit' = 'sample' THEN 1 ELSE {hours} END"
    return f"(({rate} + {SETUP}) * (100 + {TAX}))"


_IS_CARD = "c.published_at IS NOT NULL AND c.currency = k.code"


def _cheapest(sieve: catalogue_sieve.Sieve, cards: str, fitting: str, *, is_after: bool) -> str:
    """Return SQL for the ids of the cheapest instruments that match: enough to find the first of them.
    `cards`: the table in which they are looked for."""
    matching = f"""
        CROSS JOIN LATERAL (SELECT f.id FROM ({fitting}) f WHERE f.id = l.instrument_id OFFSET 0) i
    """  # noqa: S608
    branches = [_OWN] if sieve.backing.payer else []
    for group, _ in sieve.groups:
        asking, condition = _asking(group), _IS_CARD
        if is_after:
            least = f"((%(place)s::numeric - {_OFFSET}) / {_PER_UNIT} * 100)"
            condition += f" AND {asking} >= {least} * 60 / %(wished)s"
        branches.append(f"""
            SELECT r.instrument_id FROM unnest(%(currencies)s::text[]) k(code), LATERAL (
                SELECT l.instrument_id FROM (
                    SELECT c.instrument_id, {asking} AS asking FROM {cards} c
                    WHERE {condition} ORDER BY asking LIMIT 100 * %(enough)s
                ) l {"" if cards == _HELD_CARDS else matching} ORDER BY l.asking LIMIT 2 * %(enough)s
            ) r
        """)  # noqa: S608
    return " UNION ALL ".join(branches)


def _below_cap(sieve: catalogue_sieve.Sieve, cards: str) -> str:
    """Return SQL for the ids of the instruments that may cost at most the cap, by their `cards`."""
    branches = [_OWN] if sieve.backing.payer else []
    for group, regions in sieve.groups:
        conditions = [_IS_CARD]
        least_paid = 1 - Decimal(sieve.values["most_voucher"]) / 100
        if group == "partner":
            least_paid *= 1 - Decimal(sieve.values["most_discount"]) / 100
        if least_paid:  # without a least price the rate says nothing
            cap = f"{_CAP} / {least_paid:f}::numeric"
            conditions.append(f"{_asking(group)} <= {cap} * 60 / {_NO_SHORTER}")
            if sieve.minutes or sieve.wished > 60:
                longer = _asking(group, "coalesce(%(minutes)s::int, %(wished)s)::numeric / 60")
                conditions.append(f"({longer} <= {cap} OR {_IS_SHORTER})")
        joined = ""
        if regions:
            joined = "JOIN instruments_instrument h ON h.id = c.instrument_id"
            conditions.append(f"h.region_id = ANY(%({regions})s::uuid[])")
        branches.append(f"""
            SELECT l.instrument_id FROM unnest(%(currencies)s::text[]) k(code),
            LATERAL (
                SELECT c.instrument_id FROM {cards} c {joined}
                WHERE {" AND ".join(conditions)} OFFSET 0
            ) l
        """)  # noqa: S608
    return " UNION ALL ".join([*branches, _IN_ANY_CASE])
