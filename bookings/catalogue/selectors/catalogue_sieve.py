"""The conditions that a search sets for an instrument, in SQL.

They are *necessary*: everything that the rules would offer meets them. The rules
(catalogue/selectors/catalogue) then judge what does, so the result is theirs; a property test compares the
two.

The conditions concern a row `i` with the id, organisation, region and schedule of an instrument, and take the
values of a `Sieve` as parameters.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models.expressions import RawSQL

from accounts.domain.currencies import MINOR_DIGITS
from bookings.catalogue.selectors import catalogue_rules as rules
from bookings.pricing.domain.agreements import Recognition, recognition
from bookings.pricing.domain.vouchers import GrantOffer
from bookings.pricing.selectors.agreements import Agreements
from bookings.pricing.selectors.fees import Backing
from bookings.pricing.selectors.taxes import load_reversed_hosts
from bookings.record.domain.periods import Period

type Place = tuple[Any, ...]  # the values of the order: (name, id), or (nearness, name, id)

OTHER_CURRENCY, NO_PRICE = 10**18, 10**19
_DAY = timedelta(days=1)
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?s")


@dataclass(frozen=True)
class Sieve:
    """The conditions of a search. within: where the booking must lie; minutes: its length, None if only the
    price counts; max_price: per hour or sample, None for any; worths: the value of one unit of each
    comparable currency in that of the limit; without: holds to ignore; is_today: only today's price counts,
    as in `affordable`; wished: the length to be priced, if an instrument allows it; max_payable: the most to
    pay for it, None for any; mode: the service mode."""

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

    @cached_property
    def values(self) -> dict[str, Any]:
        """Return the parameters of the SQL by name. Days are widened by one on each side: the local day of an
        instrument is at most one away from the UTC day."""
        start = max(self.now, self.within.start)
        end = max(start, self.within.end)
        begins = start.astimezone(UTC).date()
        return {
            "now": self.now,
            "start": start,
            "end": end,
            "minutes": self.minutes,
            "wished": self.wished,
            "mode": self.mode,
            "without": list(self.without),
            "max_price": self.max_price,
            "max_payable": self.max_payable,
            "worths": json.dumps({name: f"{worth:f}" for name, worth in self.worths.items()}),
            "digits": json.dumps(MINOR_DIGITS),
            "grants": _grants(self.backing.grants),
            "most_voucher": max((grant.percent for grant in self.backing.grants), default=0),
            "most_discount": max(
                (
                    agreement.discount_percent
                    for agreements in self.backing.agreements.values()
                    for each in agreements.values()
                    for agreement in each
                ),
                default=0,
            ),
            **self._payer(begins - _DAY, end.astimezone(UTC).date() + _DAY),
            **self._days({"before": begins - _DAY, "then": begins, "after": begins + _DAY}),
            "begins": begins,
        }

    def _payer(self, first: date, last: date) -> dict[str, Any]:
        """Return the parameters about the payer on the days of the span."""
        payer = self.backing.payer
        agreements = self.backing.agreements.get(payer.region_id, {}) if payer else {}
        always, sometimes = _partners(agreements, first, last)
        regions = {region.pk for day in (first, last) if (region := self.backing.region(day))}
        return {
            "first_day": first,
            "last_day": last,
            "payer": payer.pk if payer else None,
            "reversed_hosts": self.reversed_hosts,
            "payer_kind": payer.kind if payer else "",
            "payer_region": payer.region_id if payer else None,
            "moves": payer is not None and regions != {payer.region_id},
            "always_partners": always,
            "sometimes_partners": sometimes,
        }

    @cached_property
    def reversed_hosts(self) -> list[UUID]:
        """Return the hosts at which the payer owes the tax (`load_reversed_hosts`), read once."""
        return load_reversed_hosts(self.backing.payer)

    def _days(self, days: Mapping[str, date]) -> dict[str, Any]:
        """Return the parameters that `_then` picks by day: the payer's values on the day when the booking
        begins, and on the days beside it."""
        values: dict[str, Any] = {}
        homes, partners = set[UUID](), set[UUID]()
        for name, day in days.items():
            home = self.backing.region(day)
            agreed = {
                region: one
                for region, each in self.backing.agreements_on(day).items()
                if (one := recognition(each, day))
            }
            values[f"home_{name}"] = home.pk if home else None
            values[f"partners_{name}"] = list(agreed)
            values[f"discounts_{name}"] = _discounts(agreed)
            values[f"honoured_{name}"] = [region for region, one in agreed.items() if one.honours_vouchers]
            homes |= {home.pk} if home else set()
            partners |= set(agreed)
        return values | {"homes": list(homes), "partners": list(partners)}

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Return the price groups that the payer may have at other hosts, each with the name of the parameter
        that lists its regions (empty: all regions)."""
        payer = self.backing.payer
        if payer is None:
            return [("external", "")]
        if payer.kind == "enterprise":
            return [("industry", "")]
        partners = [("partner", "partners")] if self.values["partners"] else []
        return [("regional", "homes"), *partners, ("external", "")]


def of_today(
    backing: Backing,
    max_price: Decimal | None,
    worths: Mapping[str, Decimal],
    now: datetime,
    *,
    wished: int = 60,
    mode: str = "",
) -> Sieve:
    """Return the sieve of a list in which only today's price counts."""
    return Sieve(
        now,
        Period(now, now + _DAY),
        backing,
        max_price=max_price,
        worths=worths,
        is_today=True,
        wished=wished,
        mode=mode,
    )


def raw(sql: str, given: Iterable[Any], named: Mapping[str, Any]) -> RawSQL:
    """Return SQL that has both positional and named placeholders as SQL with positional ones only."""
    places = iter(given)
    values = [named[match[1]] if match[1] else next(places) for match in _PLACEHOLDER.finditer(sql)]
    return RawSQL(_PLACEHOLDER.sub("%s", sql), values)  # noqa: S611  # every value is bound


def _partners(agreements: Agreements, first: date, last: date) -> tuple[list[UUID], list[UUID]]:
    """Return the regions with which an agreement is in force on every day from the first to the last, and
    those with one on any of these days."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    covered = {
        region: sum(recognition(each, day) is not None for day in days) for region, each in agreements.items()
    }
    return (
        [region for region, number in covered.items() if number == len(days)],
        [region for region, number in covered.items() if number],
    )


def _discounts(agreed: Mapping[UUID, Recognition]) -> str:
    """Return the discount in percent at hosts of each region, as JSON."""
    return json.dumps({str(pk): f"{one.discount_percent:f}" for pk, one in agreed.items()})


def _grants(grants: Iterable[GrantOffer]) -> str:
    """Return the usable voucher grants in the JSON form that `_VOUCHERS` reads."""
    return json.dumps(
        [
            {
                "percent": f"{each.percent:f}",
                "cap": None if each.cap_per_booking is None else f"{each.cap_per_booking:f}",
                "remaining": f"{each.remaining:f}",
                "currency": each.currency,
                "since": str(each.valid_from),
                "until": each.valid_until and str(each.valid_until),
                "home": each.region and str(each.region),
                "hosts": sorted(map(str, each.host_regions)) or None,
            }
            for each in grants
            if each.is_open and each.remaining > 0
        ]
    )


# -- When: the local day of the facility `f` on which the booking begins, or a search is made.

_START_DAY = "(%(start)s AT TIME ZONE f.time_zone)::date"
TODAY = "(%(now)s AT TIME ZONE f.time_zone)::date"


def _then(name: str, kind: str) -> str:
    """Return SQL for a parameter's value on the local day when the booking begins: the UTC day, or one beside
    it."""
    return f"""
        (CASE WHEN {_START_DAY} < %(begins)s THEN %({name}_before)s::{kind}
            WHEN {_START_DAY} > %(begins)s THEN %({name}_after)s::{kind}
            ELSE %({name}_then)s::{kind} END)
    """


# -- Who: the payer's price group. Hosts that move before it begins count where they lie then.

AHEAD = "m.carried_out_at IS NULL AND m.withdrawn_at IS NULL"
_HOME_THEN = _then("home", "uuid")
_HOST_THEN = f"""
    coalesce((
        SELECT m.region_id FROM accounts_organisationmove m
        WHERE m.organisation_id = i.organisation_id AND {AHEAD} AND m.starts_on <= {_START_DAY}
    ), i.region_id)
"""  # noqa: S608  # names of ours; every value is bound


def _price_group(partners: str, home: str, host_region: str) -> str:
    return rules.price_group(
        host="i.organisation_id",
        payer="%(payer)s::uuid",
        kind="%(payer_kind)s",
        host_region=host_region,
        home=home,
        partners=f"{partners}::uuid[]",
    )


# Where the payer owes the tax, by the present regions.
IS_REVERSED = "i.organisation_id = ANY(%(reversed_hosts)s::uuid[])"
_TAX = rules.taxed_for("g.named = 'internal'", IS_REVERSED)
_GROUP_THEN = _price_group(_then("partners", "uuid[]"), _HOME_THEN, _HOST_THEN)
# An agreement may begin or end within the span: these are the groups of those that last, and of all.
LASTING_GROUP = _price_group("%(always_partners)s", "%(payer_region)s::uuid", "i.region_id")
PASSING_GROUP = _price_group("%(sometimes_partners)s", "%(payer_region)s::uuid", "i.region_id")
# Where payer or host move within the span only the rules know the group of each day.
_MOVES = f"""
    (%(moves)s::boolean OR i.organisation_id IN (
        SELECT m.organisation_id FROM accounts_organisationmove m
        WHERE {AHEAD} AND m.starts_on <= %(last_day)s
    ))
"""  # noqa: S608  # names of ours; every value is bound

# -- How much: the price of an instrument `x`, by its card `c` and the length that its policy `p` allows.

# The length somebody wishes where the instrument allows it, else its usual one; in a span that
# is asked for only the wished one counts.
LENGTH = f"""
    CASE WHEN %(minutes)s::int IS NOT NULL THEN %(minutes)s::int
        WHEN p.instrument_id IS NULL OR ({rules.allows("%(wished)s")}) THEN %(wished)s
        ELSE {rules.usual_minutes()} END
"""
WORTH = "(%(worths)s::jsonb ->> c.currency)::numeric"
_VOUCHERS = """
    jsonb_to_recordset(%(grants)s::jsonb) AS v (
        percent numeric, cap numeric, remaining numeric, currency text, since date, until date,
        home uuid, hosts uuid[]
    )
"""
_DISCOUNT = f"({_then('discounts', 'jsonb')} ->> ({_HOST_THEN})::text)::numeric"
_USABLE = rules.usable(day=_START_DAY, home=_HOME_THEN, host=_HOST_THEN, honoured=_then("honoured", "uuid[]"))
# The way of working that is priced: the one wished, or the first that has a price.
_MODE = """
    coalesce(nullif(%(mode)s, ''), c.card ->> 'mode', CASE WHEN c.card ->> 'rate_unit' = 'sample'
        AND 'entrusted' = ANY(x.service_modes) THEN 'entrusted' ELSE x.service_modes[1] END)
"""
# As one number to order by, `quote` (pricing/domain/fees) before bands, tiers and caps: what the payer pays
# when the span begins, with set-up, agreement, tax and voucher; in the payer's currency where a rate is
# stored, before those that cannot be compared, and last where there is no price.
PRICE = f"""
    coalesce((
        SELECT CASE WHEN NOT {rules.serves_mode("%(mode)s", "x.service_modes")} THEN NULL
            ELSE round((total - covered) * coalesce({WORTH}, 1), 6)
                + CASE WHEN {WORTH} IS NULL THEN {OTHER_CURRENCY} ELSE 0 END END
        FROM instruments_instrument x
        JOIN instruments_facility f ON f.id = x.facility_id
        LEFT JOIN instruments_bookingpolicy p ON p.instrument_id = x.id
        CROSS JOIN LATERAL (SELECT ({_GROUP_THEN}) AS named) g
        JOIN LATERAL (
            SELECT c.currency, {rules.card_for("%(mode)s", "x.service_modes", "g.named")} AS card FROM (
                SELECT * FROM instruments_ratecard c
                WHERE c.instrument_id = x.id AND {rules.in_force(_START_DAY, _START_DAY)}
                ORDER BY c.valid_from DESC, c.version DESC LIMIT 1
            ) c OFFSET 0
        ) c ON true
        CROSS JOIN LATERAL (
            SELECT round({rules.usage("(c.card -> 'rates' ->> g.named)::numeric", LENGTH)}, {rules.DIGITS})
                AS usage,
                {rules.required(_MODE, LENGTH)} AS required,
                {rules.required(_MODE, LENGTH, is_subsidised=True)} AS subsidised
        ) u
        CROSS JOIN LATERAL (
            SELECT u.usage + {rules.SETUP} - {rules.agreement("g.named", _DISCOUNT, "u.usage")}
                + u.required AS subtotal
        ) s
        CROSS JOIN LATERAL (
            SELECT s.subtotal + {rules.percentage(_TAX, "s.subtotal")}
                AS total
        ) t
        CROSS JOIN LATERAL (
            SELECT {rules.best_cover("(s.subtotal - u.required + u.subsidised)")} AS covered
            FROM {_VOUCHERS} WHERE {_USABLE}
        ) v
        WHERE x.id = i.id
    ), {NO_PRICE})
"""  # noqa: S608  # names of ours; every value is bound
CARDS = rules.cards_for("%(mode)s", LASTING_GROUP, PASSING_GROUP)
_LEAST_RATE = f"""
    least((c.card -> 'rates' ->> ({LASTING_GROUP}))::numeric,
        (c.card -> 'rates' ->> ({PASSING_GROUP}))::numeric)
"""


def served(first_day: str, last_day: str) -> str:
    """Return SQL for the condition that a card in force on some of these days has a rate for the payer that
    is low enough."""
    return f"""
        EXISTS (
            SELECT FROM {CARDS} c
            WHERE c.instrument_id = i.id AND {rules.in_force(first_day, last_day)}
            AND CASE WHEN %(max_price)s::numeric IS NULL
                THEN (c.card -> 'rates') ?| ARRAY[{LASTING_GROUP}, {PASSING_GROUP}]
                ELSE {_LEAST_RATE} * {WORTH} <= %(max_price)s::numeric
                END
        )
    """


_SERVED = f"({_MOVES} OR {served('%(first_day)s', '%(last_day)s')})"
_SERVED_TODAY = f"""
    SELECT {served(TODAY, TODAY)} FROM instruments_instrument x
    JOIN instruments_facility f ON f.id = x.facility_id WHERE x.id = i.id
"""  # noqa: S608  # names of ours; every value is bound
_LEAST_PAYABLE = rules.least_payable(
    rate=_LEAST_RATE,
    minutes=LENGTH,
    is_internal=f"'internal' IN (({LASTING_GROUP}), ({PASSING_GROUP}))",
    discount="%(most_discount)s",
    voucher="%(most_voucher)s",
    is_reversed=IS_REVERSED,
)
_FITS_PAYER = f"""
    ({_MOVES} OR EXISTS (
        SELECT FROM {CARDS} c
        JOIN instruments_instrument x ON x.id = c.instrument_id
        LEFT JOIN instruments_bookingpolicy p ON p.instrument_id = x.id
        WHERE c.instrument_id = i.id AND {rules.in_force("%(first_day)s", "%(last_day)s")}
        AND ({_LEAST_PAYABLE}) * {WORTH} <= %(max_payable)s::numeric
    ))
"""  # names of ours; every value is bound

# -- Whether there is room: opening hours `s`, less what is taken of some unit widened by the buffers that a
# new booking would need, leave a piece as long as wanted. Only the grid of starts, quotas and certificates
# are left to the rules.

_SCHEDULE = "SELECT schedule_id FROM instruments_instrument WHERE id = r.id OFFSET 0"
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
_BOOKABLE = f"""
    tstzrange(%(now)s + make_interval(mins => p.notice_minutes), NULL)
    * tstzrange(NULL, CASE WHEN {_MOVES} THEN NULL ELSE %(now)s + make_interval(
        mins => %(minutes)s + 1440 * greatest(
            {rules.horizon_for(LASTING_GROUP)}, {rules.horizon_for(PASSING_GROUP)}
        )
    ) END)
"""
_TAKEN = """
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
"""
_HAS_ROOM = f"""
    {rules.allows("%(minutes)s")}
    AND s.longest >= make_interval(mins => %(minutes)s)
    AND EXISTS (
        SELECT FROM generate_series(1, p.units) u(number), unnest(
            s.open * tstzmultirange({_BOOKABLE}) - coalesce(({_TAKEN}), '{{}}')
        ) piece
        WHERE upper(piece) - lower(piece) >= make_interval(mins => %(minutes)s)
    )
"""  # names of ours; every value is bound


def passing(sql: str, sieve: Sieve, by: str) -> str:
    """Return SQL for those of the ids that the SQL gives, in its order, that may match."""
    # Lateral joins that cannot be flattened keep the planner to the order of names: it takes
    # every further condition for rarer than it is, and would look at all instruments first.
    if sieve.minutes is None:
        served_then = _SERVED_TODAY if sieve.is_today else _SERVED
        priced = [served_then] if sieve.max_price is not None else []
        priced += [_FITS_PAYER] if sieve.max_payable is not None else []
        joined, condition = "", " AND ".join(f"({each})" for each in priced) or "true"
    else:
        sql = f"SELECT r.*, x.schedule_id FROM ({sql}) r CROSS JOIN LATERAL ({_SCHEDULE}) x"  # noqa: S608
        # The windows of a schedule are cut once for all instruments that share it: PostgreSQL memoizes this.
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
