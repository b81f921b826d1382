"""Which instruments may have what a search wants: a sieve in SQL before the rules are asked.

A calendar in Python for each of a hundred thousand instruments takes minutes. These conditions
are *necessary*: whatever the rules would offer passes. What passes is still judged by them
(catalogue/selectors/catalogue), so the answer is theirs; a property test holds the two together.

Per instrument, in the order of names, until there are enough: its opening hours within the
wanted span, less what is taken of some unit widened by the buffers a new booking would need,
leave a piece as long as wanted. Only the grid of starts, quotas and certificates are left to
the rules. The windows of a schedule are cut once for all instruments that share it (PostgreSQL
memoizes the lateral join); nothing but the index by name decides the order, so a page costs the
same at the end of the list as at its beginning.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.domain.currencies import MINOR_DIGITS
from bookings.pricing.domain.agreements import recognition
from bookings.pricing.selectors.agreements import Agreements
from bookings.pricing.selectors.fees import Backing
from bookings.record.domain.periods import Period
from instruments.domain.policies import DEFAULT_HORIZON_DAYS
from instruments.domain.search import Criteria
from instruments.models import Instrument, SearchEntry
from instruments.selectors.search import FEW, KEPT_SECONDS, entries, ordered, records

type Place = tuple[Any, ...]  # the values of the order: (name, id), or (nearness, name, id)


OTHER_CURRENCY, NO_PRICE = 10**18, 10**19


def _price_group(partners: str, home: str = "%(payer_region)s", host: str = "i.region_id") -> str:
    """What `price_group` of pricing/domain/fees decides, over the columns of an instrument `i`."""
    return f"""
        CASE WHEN %(payer)s::uuid IS NULL THEN 'external'
            WHEN i.organisation_id = %(payer)s::uuid THEN 'internal'
            WHEN %(payer_kind)s = 'enterprise' THEN 'industry'
            WHEN {host} = {home}::uuid THEN 'regional'
            WHEN {host} = ANY({partners}::uuid[]) THEN 'partner'
            ELSE 'external' END
    """


# An agreement may begin or end within the span: what it makes of the payer on some of its days
# is `_ONE`, on others `_OTHER`.
_ONE = _price_group("%(always_partners)s")
_OTHER = _price_group("%(sometimes_partners)s")


_THEN = "(%(start)s AT TIME ZONE f.time_zone)::date"


def _then(name: str, kind: str) -> str:
    """What holds when it begins: the local day is the one of UTC, or one beside it."""
    return f"""
        (CASE WHEN {_THEN} < %(begins)s THEN %({name}_before)s::{kind}
            WHEN {_THEN} > %(begins)s THEN %({name}_after)s::{kind}
            ELSE %({name}_then)s::{kind} END)
    """


# Where hosts lie that move before it begins: the others are where they are today.
_AHEAD = "m.carried_out_at IS NULL AND m.withdrawn_at IS NULL"
_THEN_HOST = f"""
    coalesce((
        SELECT m.region_id FROM accounts_organisationmove m
        WHERE m.organisation_id = i.organisation_id AND {_AHEAD} AND m.starts_on <= {_THEN}
    ), i.region_id)
"""  # noqa: S608  # names of ours; every value is bound
_THEN_GROUP = _price_group(_then("partners", "uuid[]"), _then("home", "uuid"), _THEN_HOST)
# The length somebody wishes where an instrument `x` allows it, else its usual one; in a span that
# is asked for only the wished one counts.
_LENGTH = """
    CASE WHEN %(minutes)s::int IS NOT NULL THEN %(minutes)s::int
        WHEN p.instrument_id IS NULL OR (%(wished)s BETWEEN p.min_minutes AND p.max_minutes
            AND %(wished)s %% p.slot_minutes = 0) THEN %(wished)s
        WHEN 60 BETWEEN p.min_minutes AND p.max_minutes AND 60 %% p.slot_minutes = 0 THEN 60
        ELSE p.min_minutes END
"""


def _usage(rate: str) -> str:
    """What a card `c` says for the wished length, or one sample, in minutes that are billed: the
    first two steps of docs/fees.md, without bands, tiers and the daily cap."""
    step = "coalesce((c.card ->> 'billing_increment_minutes')::numeric, 1)"
    return f"""
        CASE WHEN c.card ->> 'rate_unit' = 'sample' THEN {rate}
            ELSE {rate} * greatest(
                coalesce((c.card ->> 'minimum_minutes')::numeric, 0),
                ceil(({_LENGTH}) / {step}) * {step}
            ) / 60 END
    """


_SETUP = "coalesce((c.card ->> 'setup_fee')::numeric, 0)"
_TAX = "coalesce((c.card ->> 'tax_percent')::numeric, 0)"
_DIGITS = "coalesce((%(digits)s::jsonb ->> c.currency)::int, 2)"
_WORTH = "(%(worths)s::jsonb ->> c.currency)::numeric"
# A price by the sample is only for samples that are sent in.
_HAS_MODE = """
    (c.card ->> 'rate_unit' IS DISTINCT FROM 'sample' OR CASE WHEN %(mode)s = ''
        THEN 'entrusted' = ANY(x.service_modes) ELSE %(mode)s = 'entrusted' END)
"""
# As one number to order by: what the payer pays when the span begins, with set-up, agreement and
# tax, before bands, tiers, caps and vouchers; in the payer's currency where a rate is stored,
# before those that cannot be compared, and last where there is no price.
_PRICE = f"""
    coalesce((
        SELECT CASE WHEN NOT {_HAS_MODE} THEN NULL
            ELSE round(total * coalesce({_WORTH}, 1), 6)
                + CASE WHEN {_WORTH} IS NULL THEN {OTHER_CURRENCY} ELSE 0 END END
        FROM instruments_instrument x
        JOIN instruments_facility f ON f.id = x.facility_id
        LEFT JOIN instruments_bookingpolicy p ON p.instrument_id = x.id
        JOIN LATERAL (
            SELECT * FROM instruments_ratecard c
            WHERE c.instrument_id = x.id AND c.published_at IS NOT NULL
            AND c.valid_from <= {_THEN} AND (c.valid_until IS NULL OR c.valid_until > {_THEN})
            ORDER BY c.valid_from DESC, c.version DESC LIMIT 1
        ) c ON true
        CROSS JOIN LATERAL (SELECT ({_THEN_GROUP}) AS named) g
        CROSS JOIN LATERAL (
            SELECT round({_usage("(c.card -> 'rates' ->> g.named)::numeric")}, {_DIGITS}) AS usage
        ) u
        CROSS JOIN LATERAL (
            SELECT u.usage + {_SETUP} - CASE WHEN g.named = 'partner' THEN round(coalesce(
                ({_then("discounts", "jsonb")} ->> ({_THEN_HOST})::text)::numeric, 0
            ) * u.usage / 100, {_DIGITS}) ELSE 0 END AS subtotal
        ) s
        CROSS JOIN LATERAL (
            SELECT s.subtotal + round({_TAX} * s.subtotal / 100, {_DIGITS}) AS total
        ) t
        WHERE x.id = i.id
    ), {NO_PRICE})
"""  # noqa: S608  # names of ours; every value is bound


# In the order of price only the cheapest are priced: of each currency and price group the cards
# that ask least for an hour with set-up and tax, by the indexes of `RateCard`. A price is at least
# that, or its share for the least time that is billed. Priced in any case: the payer's own, what is
# usually shorter, what a host has that moves.
_OFFSET = f"(CASE WHEN %(worths)s::jsonb ? k.code THEN 0 ELSE {OTHER_CURRENCY} END)"
_PER_UNIT = "coalesce((%(worths)s::jsonb ->> k.code)::numeric, 1)"
_NO_SHORTER = "least(60, %(wished)s, coalesce(%(minutes)s::int, 60))"
_CAP = f"""
    (((SELECT max(place) FROM cap) - {_OFFSET}) / {_PER_UNIT}
        + 2 * power(10::numeric, -coalesce((%(digits)s::jsonb ->> k.code)::int, 2))) * 100
"""  # noqa: S608  # names of ours; every value is bound


def _asking(group: str, hours: str = "1") -> str:
    """What a card `c` asks for some hours, or one sample, with set-up and tax, in hundredths."""
    rate = f"(c.card #>> '{{rates,{group}}}')::numeric"
    if hours != "1":
        rate += f" * CASE WHEN c.card ->> 'rate_unit' = 'sample' THEN 1 ELSE {hours} END"
    return f"(({rate} + {_SETUP}) * (100 + {_TAX}))"


_OWN = "SELECT o.id FROM instruments_instrument o WHERE o.organisation_id = %(payer)s::uuid"
_IS_SHORTER = f"""
    EXISTS (SELECT FROM instruments_bookingpolicy p WHERE p.instrument_id = c.instrument_id
        AND ({_LENGTH}) < %(wished)s)
"""
_IN_ANY_CASE = f"""
    SELECT p.instrument_id FROM instruments_bookingpolicy p
    WHERE p.min_minutes < {_NO_SHORTER} AND ({_LENGTH}) < {_NO_SHORTER}
    UNION ALL
    SELECT o.id FROM instruments_instrument o WHERE o.organisation_id IN (
        SELECT m.organisation_id FROM accounts_organisationmove m
        WHERE {_AHEAD} AND m.starts_on <= %(last_day)s
    )
"""  # noqa: S608  # names of ours; every value is bound


def _in_force(first_day: str, last_day: str) -> str:
    """Whether a card `c` is in force on some of these days."""
    return f"""
        c.published_at IS NOT NULL AND c.valid_from <= {last_day}
        AND (c.valid_until IS NULL OR c.valid_until > {first_day})
    """


def _served(first_day: str, last_day: str) -> str:
    """Whether a card in force on some of these days has a rate for the payer, low enough."""
    return f"""
        EXISTS (
            SELECT FROM instruments_ratecard c
            WHERE c.instrument_id = i.id AND {_in_force(first_day, last_day)}
            AND CASE WHEN %(max_price)s::numeric IS NULL
                THEN (c.card -> 'rates') ?| ARRAY[{_ONE}, {_OTHER}]
                ELSE least(
                    (c.card -> 'rates' ->> ({_ONE}))::numeric,
                    (c.card -> 'rates' ->> ({_OTHER}))::numeric
                ) * (%(worths)s::jsonb ->> c.currency)::numeric <= %(max_price)s::numeric
                END
        )
    """


# The least that any card in force in the span can come to: the cheapest band and tier, with the
# largest discount and voucher there may be. A daily cap may make the use free.
_CHEAPEST = """
    least(1, (SELECT min((b ->> 'multiplier')::numeric) FROM jsonb_array_elements(
        coalesce(c.card -> 'bands', '[]')) b))
    * coalesce((SELECT min((t ->> 'multiplier')::numeric) FROM jsonb_array_elements(
        coalesce(c.card -> 'tiers', '[]')) t), 1)
    * CASE WHEN c.card ->> 'daily_cap_minutes' IS NULL THEN 1 ELSE 0 END
    * (1 - %(most_discount)s::numeric / 100)
"""
_LEAST_RATE = f"""
    least((c.card -> 'rates' ->> ({_ONE}))::numeric, (c.card -> 'rates' ->> ({_OTHER}))::numeric)
"""
_PAYABLE = f"""
    EXISTS (
        SELECT FROM instruments_ratecard c
        JOIN instruments_instrument x ON x.id = c.instrument_id
        LEFT JOIN instruments_bookingpolicy p ON p.instrument_id = x.id
        WHERE c.instrument_id = i.id AND {_in_force("%(first_day)s", "%(last_day)s")}
        AND ((({_usage(_LEAST_RATE)}) * {_CHEAPEST} + {_SETUP})
            * (1 + ({_TAX} - %(most_voucher)s::numeric) / 100)
            - 2 * power(10::numeric, -{_DIGITS})) * {_WORTH} <= %(max_payable)s::numeric
    )
"""  # names of ours; every value is bound

# Where payer or host move within the span only the rules know the group of each day.
_MOVES = f"""
    (%(moves)s::boolean OR i.organisation_id IN (
        SELECT m.organisation_id FROM accounts_organisationmove m
        WHERE {_AHEAD} AND m.starts_on <= %(last_day)s
    ))
"""  # noqa: S608  # names of ours; every value is bound
_SERVED = f"({_MOVES} OR {_served('%(first_day)s', '%(last_day)s')})"
_FITS_PAYER = f"({_MOVES} OR {_PAYABLE})"
_TODAY = "(%(now)s AT TIME ZONE f.time_zone)::date"
_SERVED_TODAY = f"""
    SELECT {_served(_TODAY, _TODAY)} FROM instruments_instrument x
    JOIN instruments_facility f ON f.id = x.facility_id WHERE x.id = i.id
"""  # noqa: S608  # names of ours; every value is bound
# A schedule not resolved for the whole span counts as open: the rules resolve it themselves.
_OPENED = """
    SELECT windows AS open,
        (SELECT max(upper(w) - lower(w)) FROM unnest(windows) w) AS longest
    FROM instruments_schedule h, LATERAL (
        SELECT CASE WHEN h.resolved_from < %(first_day)s AND h.resolved_until > %(last_day)s
            THEN (
                SELECT range_agg(w.span * tstzrange(%(start)s, %(end)s))
                FROM instruments_openwindow w
                WHERE w.schedule_id = i.schedule_id AND w.span && tstzrange(%(start)s, %(end)s)
            )
            ELSE tstzmultirange(tstzrange(%(start)s, %(end)s))
        END
    ) o(windows)
    WHERE h.id = i.schedule_id OFFSET 0
"""
_SCHEDULE = "SELECT schedule_id FROM instruments_instrument WHERE id = r.id OFFSET 0"
_HAS_ROOM = f"""
    p.min_minutes <= %(minutes)s AND p.max_minutes >= %(minutes)s
    AND %(minutes)s %% p.slot_minutes = 0
    AND s.longest >= make_interval(mins => %(minutes)s)
    AND EXISTS (
        SELECT FROM generate_series(1, p.units) u(number), unnest(
            s.open
            * tstzmultirange(
                tstzrange(%(now)s + make_interval(mins => p.notice_minutes), NULL)
                * tstzrange(NULL, CASE WHEN {_MOVES} THEN NULL ELSE %(now)s + make_interval(
                    mins => %(minutes)s + 1440 * greatest(
                        coalesce((p.horizon_days ->> ({_ONE}))::int, {DEFAULT_HORIZON_DAYS}),
                        coalesce((p.horizon_days ->> ({_OTHER}))::int, {DEFAULT_HORIZON_DAYS})
                    )
                ) END)
            )
            - coalesce((
                SELECT range_agg(tstzrange(
                    lower(o.span) - make_interval(mins => p.teardown_minutes),
                    upper(o.span) + make_interval(mins => p.setup_minutes)
                ))
                FROM bookings_occupancy o
                WHERE o.instrument_id = i.id AND o.unit = u.number
                AND o.span && tstzrange(
                    %(start)s - make_interval(mins => p.setup_minutes),
                    %(end)s + make_interval(mins => p.teardown_minutes)
                )
                AND (o.expires_at IS NULL OR o.expires_at > %(now)s)
                AND (o.reservation_id = ANY(%(without)s::uuid[])) IS NOT TRUE
            ), '{{}}')
        ) piece
        WHERE upper(piece) - lower(piece) >= make_interval(mins => %(minutes)s)
    )
"""  # noqa: S608  # names of ours; every value is bound
_DAY = timedelta(days=1)
_COLUMNS = ("name", "organisation_id", "region_id")
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?s")


@dataclass(frozen=True)
class Sieve:
    """What is wanted. within: where the booking must lie; minutes: its length, None where only
    the price counts; max_price: per hour or sample, None for any; worths: what one unit of each
    currency that can be compared with it is worth in its own; without: holds that are in nobody's
    way; is_today: only the price that holds
    now, as `affordable` has it; wished: the length whose price counts, where an instrument allows
    it; max_payable: for that, None for any; mode: the way of service it is for."""

    now: datetime
    within: Period
    backing: Backing
    minutes: int | None = None
    max_price: Decimal | None = None
    worths: Mapping[str, Decimal] = field(default_factory=dict)
    without: Collection[UUID] = ()
    is_today: bool = False
    wished: int = 60
    max_payable: Decimal | None = None
    mode: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """By the names that the SQL has for them. Days are a day wider on either side: the
        local day of an instrument is at most one away from that of UTC."""
        start = max(self.now, self.within.start)
        end = max(start, self.within.end)
        first = start.astimezone(UTC).date() - timedelta(days=1)
        last = end.astimezone(UTC).date() + timedelta(days=1)
        payer = self.backing.payer
        always, sometimes = _partners(
            self.backing.agreements.get(payer.region_id, {}) if payer else {}, first, last
        )
        begins = start.astimezone(UTC).date()
        days = {"before": begins - _DAY, "then": begins, "after": begins + _DAY}
        homes = {
            name: home.pk if (home := self.backing.region(day)) else None
            for name, day in days.items()
        }

        return (
            {
                "now": self.now,
                "start": start,
                "end": end,
                "first_day": first,
                "last_day": last,
                "minutes": self.minutes,
                "payer": payer.pk if payer else None,
                "payer_kind": payer.kind if payer else "",
                "payer_region": payer.region_id if payer else None,
                "moves": payer is not None
                and {r.pk for r in (self.backing.region(first), self.backing.region(last)) if r}
                != {payer.region_id},
                "always_partners": always,
                "sometimes_partners": sometimes,
                "max_price": self.max_price,
                "without": list(self.without),
                "worths": json.dumps({name: f"{worth:f}" for name, worth in self.worths.items()}),
                "begins": begins,
                "wished": self.wished,
                "max_payable": self.max_payable,
                "mode": self.mode,
                "digits": json.dumps(MINOR_DIGITS),
                "most_discount": max(
                    (
                        agreement.discount_percent
                        for agreements in self.backing.agreements.values()
                        for each in agreements.values()
                        for agreement in each
                    ),
                    default=0,
                ),
                "most_voucher": max((grant.percent for grant in self.backing.grants), default=0),
            }
            | {
                key: value
                for name, day in days.items()
                for key, value in (
                    (f"home_{name}", homes[name]),
                    (f"partners_{name}", _partners(self.backing.agreements_on(day), day, day)[0]),
                    (f"discounts_{name}", _discounts(self.backing.agreements_on(day), day)),
                )
            }
            | {
                "homes": list({home for home in homes.values() if home}),
                "partners": list(
                    {
                        region
                        for day in days.values()
                        for region in _partners(self.backing.agreements_on(day), day, day)[0]
                    }
                ),
            }
        )

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The price groups that the payer may have at hosts of others, each with the name of the
        value that says in which regions, if not in all."""
        payer, values = self.backing.payer, self.values
        if payer is None:
            return [("external", "")]
        if payer.kind == "enterprise":
            return [("industry", "")]
        partners = [("partner", "partners")] if values["partners"] else []
        return [("regional", "homes"), *partners, ("external", "")]


def _partners(agreements: Agreements, first: date, last: date) -> tuple[list[UUID], list[UUID]]:
    """The regions with which an agreement is in force on each of some days, and on any."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    covered = {
        region: sum(recognition(each, day) is not None for day in days)
        for region, each in agreements.items()
    }
    return (
        [region for region, number in covered.items() if number == len(days)],
        [region for region, number in covered.items() if number],
    )


def _discounts(agreements: Agreements, day: date) -> str:
    """The discount in percent at hosts of each region with which an agreement is in force on a
    day, as JSON."""
    agreed = {region: recognition(each, day) for region, each in agreements.items()}
    return json.dumps({str(pk): f"{one.discount_percent:f}" for pk, one in agreed.items() if one})


def candidates(
    criteria: Criteria,
    sieve: Sieve,
    *,
    after: Place | None,
    most: int,
    skip: int = 0,
    rows: QuerySet[SearchEntry] | None = None,
) -> list[Instrument]:
    """The first `most` published instruments that fit, in the order of the search, after a place
    in it, that may have what is wanted; with what their calendars need. `rows`: entries that fit,
    where the criteria do not say it. One statement."""
    fitting, order = ordered(criteria, entries(criteria) if rows is None else rows)
    is_by_price = criteria.sort == "price"
    if after is not None and not is_by_price:
        fitting = fitting.filter(_beyond(order, after))
    columns = [*_COLUMNS, *(["place"] if "place" in order else [])]
    try:
        sql, given = fitting.values(*columns, id=F("pk")).query.sql_with_params()
    except EmptyResultSet:  # nothing that could be asked for
        return []
    by = ", ".join("id" if name == "pk" else name for name in order)
    if is_by_price:
        return _by_price(criteria, sieve, sql, given, after=after, most=most, skip=skip)
    if "place" in order:  # all of them decide which is first
        sql = f"{sql} ORDER BY {by} OFFSET 0"
    values = sieve.values | {"most": most, "skip": skip}
    return list(records(criteria, _raw(_passing(sql, sieve, by), given, values)))


def _passing(sql: str, sieve: Sieve, by: str) -> str:
    """The ids of those of some entries, in their order, that may have what is wanted."""
    # Lateral joins that cannot be flattened keep the planner to the order of names: it takes
    # every further condition for rarer than it is, and would look at all instruments first.
    if sieve.minutes is None:
        served = _SERVED_TODAY if sieve.is_today else _SERVED
        priced = [served] if sieve.max_price is not None else []
        priced += [_FITS_PAYER] if sieve.max_payable is not None else []
        joined, condition = "", " AND ".join(f"({each})" for each in priced) or "true"
    else:
        sql = f"SELECT r.*, x.schedule_id FROM ({sql}) r CROSS JOIN LATERAL ({_SCHEDULE}) x"  # noqa: S608
        joined = f"CROSS JOIN LATERAL ({_OPENED}) s"
        # In this order: few cost so little as somebody asks, most serve everybody.
        conditions = [_HAS_ROOM, _SERVED] if sieve.max_price is None else [_SERVED, _HAS_ROOM]
        if sieve.max_payable is not None:
            conditions.insert(0, _FITS_PAYER)
        condition = f"""
            SELECT {" AND ".join(conditions)}
            FROM instruments_bookingpolicy p WHERE p.instrument_id = i.id
        """  # noqa: S608
    return f"""
        SELECT i.id FROM ({sql}) i {joined}
        CROSS JOIN LATERAL (SELECT ({condition}) AS passes OFFSET 0) t
        WHERE t.passes ORDER BY {by} LIMIT %(most)s OFFSET %(skip)s
    """  # noqa: S608


PRICED = 1_000  # as few need no cap


def _by_price(
    criteria: Criteria,
    sieve: Sieve,
    sql: str,
    given: Sequence[Any],
    *,
    after: Place | None,
    most: int,
    skip: int,
) -> list[Instrument]:
    """`candidates` in the order of price. Few are all priced: a statement counts them first, as the
    one for many takes longer to plan. Of many as many of the cheapest cards are priced as give a
    cap; what may cost less than it follows by an index. Where those are too few the next statement
    looks at more cards, and the last at all instruments."""
    enough = 2 * (skip + most)
    values = sieve.values | {"most": most, "skip": skip, "enough": enough}
    values |= dict(zip(("place", "name", "pk"), after or (), strict=False))
    past = "(place, name, id) > (%(place)s::numeric, %(name)s, %(pk)s)" if after else "true"
    by, every = "place, name, id", sorted(MINOR_DIGITS)
    known = sorted(set(sieve.worths) & set(MINOR_DIGITS)) or every
    # Each place once: flattened, it would be computed for the condition and for the answer.
    priced, once = f"SELECT i.*, {_PRICE} AS place FROM", "OFFSET 0"
    first = _cheap(sieve, sql, is_first=True, is_after=after is not None)
    cheap = _cheap(sieve, sql, is_first=False, is_after=False)

    def among(ids: str) -> str:
        """Look each up by its key, however many the planner takes them for."""
        return f"""
            {priced} (SELECT DISTINCT u.* FROM ({ids}) u(pk)) d CROSS JOIN LATERAL (
                SELECT * FROM ({sql}) f WHERE f.id = d.pk OFFSET 0
            ) i {once}
        """  # noqa: S608

    capped = f"""
        WITH cap AS MATERIALIZED (
            SELECT place FROM ({among(first)}) f WHERE {past}
            ORDER BY place LIMIT 1 OFFSET %(enough)s - 1
        )
        SELECT * FROM ({among(cheap)}) p WHERE {past} AND place <= (SELECT max(place) FROM cap)
        ORDER BY {by} {once}
    """  # noqa: S608
    whole = f"SELECT * FROM ({priced} ({sql}) i {once}) p WHERE {past} ORDER BY {by} {once}"  # noqa: S608
    price = re.sub(r"\bi\.", "instruments_instrument.", _PRICE)
    some = _raw(f"SELECT count(*) FROM (SELECT FROM ({sql}) s LIMIT {PRICED + 1}) n", given, {})  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(some.sql, some.params)
        is_few = cursor.fetchone()[0] <= PRICED
    shown: list[Instrument] = []
    for currencies in (None,) if is_few else (known, every, None):
        rows = whole if currencies is None else capped
        passing, params = _passing(rows, sieve, by), [*given] * rows.count(sql)
        matching = records(criteria, _raw(passing, params, values | {"currencies": currencies}))
        matching = matching.annotate(place=_raw(price, (), values))
        shown = list(matching.order_by("place", "name", "pk"))
        if shown:  # `most`, or all of few
            break
    return shown


def _cheap(sieve: Sieve, fitting: str, *, is_first: bool, is_after: bool) -> str:
    """The ids of those that may cost at most the cap; `is_first`: of enough that fit to find it."""
    branches = [_OWN] if sieve.backing.payer else []
    for group, regions in sieve.groups:
        asking, conditions = _asking(group), ["c.published_at IS NOT NULL", "c.currency = k.code"]
        if is_first:
            if is_after:
                least = f"((%(place)s::numeric - {_OFFSET}) / {_PER_UNIT} * 100)"
                conditions.append(f"{asking} >= {least} * 60 / %(wished)s")
            branches.append(f"""
                SELECT r.id FROM unnest(%(currencies)s::text[]) k(code), LATERAL (
                    SELECT i.id FROM (
                        SELECT c.instrument_id, {asking} AS asking FROM instruments_ratecard c
                        WHERE {" AND ".join(conditions)} ORDER BY asking LIMIT 100 * %(enough)s
                    ) l CROSS JOIN LATERAL (
                        SELECT f.id FROM ({fitting}) f WHERE f.id = l.instrument_id OFFSET 0
                    ) i ORDER BY l.asking LIMIT 2 * %(enough)s
                ) r
            """)  # noqa: S608
            continue
        most_off = sieve.values["most_discount"] if group == "partner" else 0
        if most_off < 100:  # at no price the rate says nothing
            cap = f"{_CAP} / (1 - {most_off}::numeric / 100)"
            conditions.append(f"{asking} <= {cap} * 60 / {_NO_SHORTER}")
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
                SELECT c.instrument_id FROM instruments_ratecard c {joined}
                WHERE {" AND ".join(conditions)} OFFSET 0
            ) l
        """)  # noqa: S608
    if not is_first:
        branches.append(_IN_ANY_CASE)
    return " UNION ALL ".join(branches)


def _beyond(order: Sequence[str], after: Place) -> Q:
    """Past a place, all ascending: (a, b) > (x, y)."""
    # The first condition says nothing new; it lets the search begin at its place.
    return Q(**{f"{order[0]}__gte": after[0]}) & reduce(
        or_,
        (
            Q(**dict(zip(order[:i], after[:i], strict=True)), **{f"{name}__gt": after[i]})
            for i, name in enumerate(order)
        ),
    )


def of_today(
    backing: Backing,
    max_price: Decimal | None,
    worths: Mapping[str, Decimal],
    now: datetime,
    *,
    wished: int = 60,
    mode: str = "",
) -> Sieve:
    """For a list in which only today's price counts."""
    return Sieve(
        now,
        Period(now, now + timedelta(days=1)),
        backing,
        max_price=max_price,
        worths=worths,
        is_today=True,
        wished=wished,
        mode=mode,
    )


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
    }
)


@dataclass(frozen=True)
class Priced:
    """How many of some instruments have a rate for the payer today of at most the price of a
    sieve, and how many, by currency, one that cannot be held against it for want of a rate."""

    total: int
    uncompared: dict[str, int]


def load_priced(fitting: QuerySet[SearchEntry], sieve: Sieve) -> Priced:
    """Count by price the entries that fit. One statement. What looks at more than `FEW` may be a
    minute old."""
    values = sieve.values
    groups = [_ONE, _OTHER]
    if values["always_partners"] == values["sometimes_partners"]:
        groups = [_ONE]
    rates = ", ".join(f"(c.card -> 'rates' ->> ({group}))::numeric" for group in groups)
    try:
        sql, given = fitting.values(*_COLUMNS[1:], id=F("pk")).query.sql_with_params()
    except EmptyResultSet:
        return Priced(0, {})
    counts_for = {name: value for name, value in values.items() if name in _COUNTED_BY}
    kept_at = hashlib.sha256(repr((sql, given, counts_for)).encode()).hexdigest()[:32]
    if kept := cache.get(f"priced:{kept_at}"):
        return kept  # type: ignore[no-any-return]
    # The local day is looked up only where a card begins or ends about today.
    counting = _raw(
        f"""
        SELECT currency, worth IS NOT NULL, count(*), count(*) FILTER (
            WHERE %(max_price)s::numeric IS NULL OR rate * worth <= %(max_price)s::numeric)
        FROM (
            SELECT c.currency, {_WORTH} AS worth, least({rates}) AS rate
            FROM ({sql}) i JOIN instruments_ratecard c ON c.instrument_id = i.id
            WHERE c.published_at IS NOT NULL AND CASE
                WHEN c.valid_from <= %(first_day)s
                    AND (c.valid_until IS NULL OR c.valid_until > %(last_day)s) THEN true
                ELSE (
                    SELECT {_in_force(_TODAY, _TODAY)} FROM instruments_instrument x
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


def affordable(fitting: QuerySet[SearchEntry], sieve: Sieve) -> QuerySet[SearchEntry]:
    """Return those whose rate for the payer today is at most the price of a sieve (`of_today`)."""
    sql = f"""
        SELECT i.id FROM instruments_instrument i
        JOIN instruments_facility f ON f.id = i.facility_id
        WHERE {_served(_TODAY, _TODAY)}
    """  # noqa: S608
    return fitting.filter(pk__in=_raw(sql, (), sieve.values))


def _raw(sql: str, given: Iterable[Any], named: Mapping[str, Any]) -> RawSQL:
    """SQL with placeholders by place and by name as one with places only."""
    places = iter(given)
    values = [named[match[1]] if match[1] else next(places) for match in _PLACEHOLDER.finditer(sql)]
    return RawSQL(_PLACEHOLDER.sub("%s", sql), values)  # noqa: S611  # every value is bound
