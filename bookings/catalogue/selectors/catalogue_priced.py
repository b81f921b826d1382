"""Count instruments by price, and narrow a search to those whose price today is at most a limit."""

import hashlib
from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, QuerySet

from bookings.catalogue.selectors import catalogue_sieve
from bookings.catalogue.selectors.catalogue_rules import in_force
from instruments.search.models import SearchEntry
from instruments.search.selectors.search import FEW, KEPT_SECONDS

# What of a sieve `load_priced` depends on, but for the moment.
_COUNTED_BY = frozenset(
    {
        "payer",
        "payer_kind",
        "payer_region",
        "always_partners",
        "sometimes_partners",
        "worths",
        "max_price",
        "first_day",
        "last_day",
        "mode",
    }
)


@dataclass(frozen=True)
class Priced:
    """`total`: how many instruments have a rate for the payer today of at most the sieve's price.
    `uncompared`: by currency, how many have a rate that cannot be compared with it for lack of an exchange
    rate."""

    total: int
    uncompared: dict[str, int]


def load_priced(fitting: QuerySet[SearchEntry], sieve: catalogue_sieve.Sieve) -> Priced:
    """Count the matching entries by price. It takes one statement; a result over more than `FEW` entries may
    be a minute old."""
    values = sieve.values
    groups = [catalogue_sieve.LASTING_GROUP, catalogue_sieve.PASSING_GROUP]
    if values["always_partners"] == values["sometimes_partners"]:
        groups = [catalogue_sieve.LASTING_GROUP]
    rates = ", ".join(f"(c.card -> 'rates' ->> ({group}))::numeric" for group in groups)
    try:
        sql, given = fitting.values("organisation_id", "region_id", id=F("pk")).query.sql_with_params()
    except EmptyResultSet:
        return Priced(0, {})
    counts_for = {name: value for name, value in values.items() if name in _COUNTED_BY}
    kept_at = hashlib.sha256(repr((sql, given, counts_for)).encode()).hexdigest()[:32]
    if kept := cache.get(f"priced:{kept_at}"):
        return kept  # type: ignore[no-any-return]
    # The local day is looked up only where a card begins or ends about today.
    counting = catalogue_sieve.raw(
        f"""
        SELECT currency, worth IS NOT NULL, count(*), count(*) FILTER (
            WHERE %(max_price)s::numeric IS NULL OR rate * worth <= %(max_price)s::numeric)
        FROM (
            SELECT c.currency, {catalogue_sieve.WORTH} AS worth, least({rates}) AS rate
            FROM ({sql}) i JOIN LATERAL {catalogue_sieve.CARDS} c ON c.instrument_id = i.id
            WHERE c.published_at IS NOT NULL AND CASE
                WHEN c.valid_from <= %(first_day)s
                    AND (c.valid_until IS NULL OR c.valid_until > %(last_day)s) THEN true
                ELSE (
                    SELECT {in_force(catalogue_sieve.TODAY, catalogue_sieve.TODAY)}
                    FROM instruments_instrument x
                    JOIN instruments_facility f ON f.id = x.facility_id WHERE x.id = i.id
                ) END
        ) s WHERE rate IS NOT NULL GROUP BY 1, 2 ORDER BY 1
        """,  # noqa: S608  # names of ours; every value is bound
        given,
        values,
    )
    with connection.cursor() as cursor:
        cursor.execute(counting.sql, counting.params)
        rows = cursor.fetchall()
    priced = Priced(
        sum(fits for *_, is_compared, _, fits in rows if is_compared),
        {currency: number for currency, is_compared, number, _ in rows if not is_compared},
    )
    if sum(number for _, _, number, _ in rows) > FEW:
        cache.set(f"priced:{kept_at}", priced, KEPT_SECONDS)
    return priced


def affordable(fitting: QuerySet[SearchEntry], sieve: catalogue_sieve.Sieve) -> QuerySet[SearchEntry]:
    """Return the entries whose rate for the payer today is at most the price of a sieve (`of_today`)."""
    sql = f"""
        SELECT i.id FROM instruments_instrument i
        JOIN instruments_facility f ON f.id = i.facility_id
        WHERE {catalogue_sieve.served(catalogue_sieve.TODAY, catalogue_sieve.TODAY)}
    """  # noqa: S608
    return fitting.filter(pk__in=catalogue_sieve.raw(sql, (), sieve.values))
