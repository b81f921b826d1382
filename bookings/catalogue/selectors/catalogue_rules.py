"""Rules of prices, vouchers and policies, repeated in SQL for queries over many instruments.

Each function has the name of the rule that it repeats: it takes SQL for the arguments and returns SQL for the
result. The rule is authoritative; a property test compares each pair
(tests/bookings/catalogue/selectors/test_catalogue_rules.py). The row of a card is `c`, of a policy `p` (null
if there is none), of a voucher `v`; `digits` is a parameter, `MINOR_DIGITS` as JSON.
"""

from instruments.policy.domain.policies import DEFAULT_HORIZON_DAYS

SETUP = "coalesce((c.card ->> 'setup_fee')::numeric, 0)"
TAX = "coalesce((c.card ->> 'tax_percent')::numeric, 0)"
# `minor_digits` of record/domain/money.
DIGITS = "coalesce((%(digits)s::jsonb ->> c.currency)::int, 2)"
_IS_BY_SAMPLE = "c.card ->> 'rate_unit' = 'sample'"


def price_group(*, host: str, payer: str, kind: str, host_region: str, home: str, partners: str) -> str:
    """Return SQL for the payer's price group; it repeats `price_group` of pricing/domain/fees. A person who
    books for no organisation (`payer` is null) is external; `partners` are the regions with which an
    agreement is in force."""
    return f"""
        CASE WHEN {payer} IS NULL THEN 'external'
            WHEN {host} = {payer} THEN 'internal'
            WHEN {kind} = 'enterprise' THEN 'industry'
            WHEN {host_region} = {home} THEN 'regional'
            WHEN {host_region} = ANY({partners}) THEN 'partner'
            ELSE 'external' END
    """


def in_force(first_day: str, last_day: str) -> str:
    """Return SQL for whether a card is in force on any day from the first to the last, which are often the
    same; it repeats the condition of `card_in_force` (instruments/rates/domain/ratecards)."""
    return f"""
        c.published_at IS NOT NULL AND c.valid_from <= {last_day}
        AND (c.valid_until IS NULL OR c.valid_until > {first_day})
    """


def allows(minutes: str) -> str:
    """Return SQL for whether a policy allows a length; it repeats `Policy.allows`
    (instruments/policy/domain/policies)."""
    return f"{minutes} BETWEEN p.min_minutes AND p.max_minutes AND {minutes} %% p.slot_minutes = 0"


def usual_minutes() -> str:
    """Return SQL for the length that a policy offers first; it repeats `Policy.usual_minutes`
    (instruments/policy/domain/policies)."""
    return f"CASE WHEN {allows('60')} THEN 60 ELSE p.min_minutes END"


def horizon_for(group: str) -> str:
    """Return SQL for how many days ahead a price group may book; it repeats `Policy.horizon_for`
    (instruments/policy/domain/policies)."""
    return f"coalesce((p.horizon_days ->> ({group}))::int, {DEFAULT_HORIZON_DAYS})"


def serves_mode(mode: str, modes: str) -> str:
    """Return SQL for whether a card has a price for a service mode; it repeats the condition of `quote`
    (pricing/domain/fees): a price per sample is for samples that are sent in. If no mode is given (''), one
    of `modes` must have a price."""
    return f"""
        ({_IS_BY_SAMPLE} IS NOT TRUE OR CASE WHEN {mode} = ''
            THEN 'entrusted' = ANY({modes}) ELSE {mode} = 'entrusted' END)
    """


def card_for(mode: str, modes: str, *groups: str) -> str:
    """Repeat `RateCardValues.for_mode` (instruments/rates/domain/ratecards) for the JSON of the card; without
    a mode ('') for its `first_mode` of `modes` for one of the price groups. The chosen mode is added to the
    JSON as `mode`; a card that has no price for it has no rates."""
    return f"""
        CASE WHEN c.card ? 'usage' THEN c.card || coalesce((
            SELECT (r - 'unit') || jsonb_build_object('rate_unit', r ->> 'unit', 'mode', m.mode)
            FROM unnest({modes}) WITH ORDINALITY m (mode, place)
            JOIN jsonb_array_elements(c.card -> 'usage') r ON (r -> 'modes') ? m.mode
            WHERE {mode} IN ('', m.mode)
            ORDER BY (r -> 'rates') ?| ARRAY[{", ".join(groups)}] DESC, m.place LIMIT 1
        ), '{{}}') ELSE c.card END
    """  # noqa: S608  # names of ours; every value is bound


def cards_for(mode: str, *groups: str) -> str:
    """Return SQL for the rows of rate cards, each as `card_for` gives it."""
    modes = "(SELECT o.service_modes FROM instruments_instrument o WHERE o.id = c.instrument_id)"
    return f"""
        (SELECT c.instrument_id, c.version, c.currency, c.valid_from, c.valid_until, c.published_at,
            {card_for(mode, modes, *groups)} AS card FROM instruments_ratecard c)
    """  # noqa: S608  # names of ours; every value is bound


def required(mode: str, minutes: str, *, is_subsidised: bool = False) -> str:
    """Repeat the required options of step 4 of `quote` (pricing/domain/fees) for a way of working and a
    length; only those that vouchers cover, if `is_subsidised`."""
    only = "AND (o ->> 'subsidised')::boolean" if is_subsidised else ""
    return f"""
        coalesce((
            SELECT sum(round((o ->> 'price')::numeric * CASE WHEN o ->> 'quantity' = 'billed'
                THEN round(({billed(minutes)}) / 60, 4) ELSE (o ->> 'quantity')::numeric END, {DIGITS}))
            FROM jsonb_array_elements(c.card -> 'options') o
            WHERE o ->> 'when' = 'required' AND (NOT o ? 'modes' OR (o -> 'modes') ? ({mode})) {only}
        ), 0)
    """  # noqa: S608  # names of ours; every value is bound


def billed(minutes: str) -> str:
    """Repeat step 1 of `quote` (pricing/domain/fees) for a length: the billed minutes, 0 for samples."""
    step = "coalesce((c.card ->> 'billing_increment_minutes')::numeric, 1)"
    return f"""
        CASE WHEN {_IS_BY_SAMPLE} THEN 0
            ELSE greatest(
                coalesce((c.card ->> 'minimum_minutes')::numeric, 0), ceil(({minutes}) / {step}) * {step}
            ) END
    """


def usage(rate: str, minutes: str) -> str:
    """Repeat steps 1 and 2 of `quote` (pricing/domain/fees) for a length, or one sample, before rounding and
    without bands, tiers and the daily cap."""
    return f"CASE WHEN {_IS_BY_SAMPLE} THEN {rate} ELSE {rate} * ({billed(minutes)}) / 60 END"


def percentage(percent: str, amount: str) -> str:
    """Return SQL for a percentage of an amount in the currency of the card; it repeats `percentage` of
    record/domain/money."""
    return f"round({percent} * {amount} / 100, {DIGITS})"


def agreement(group: str, percent: str, amount: str) -> str:
    """Return SQL for the discount that partners get on usage; it repeats that of `quote`
    (pricing/domain/fees)."""
    return f"CASE WHEN {group} = 'partner' THEN {percentage(f'coalesce({percent}, 0)', amount)} ELSE 0 END"


def taxed_for(is_internal: str, is_reversed: str = "false") -> str:
    """Return SQL for the card's tax in percent, or none within one organisation and where the payer owes it;
    it repeats `taxed_for` of pricing/domain/fees."""
    return f"CASE WHEN {is_internal} OR {is_reversed} THEN 0 ELSE {TAX} END"


def usable(*, day: str, home: str, host: str, honoured: str) -> str:
    """Return SQL for whether a voucher that is open and not used up may pay; it repeats `usable` of
    pricing/domain/vouchers. `day`, `home` (the payer's region) and `host` (the host's region) are SQL;
    `honoured` are the regions whose hosts accept vouchers by an agreement."""
    return f"""
        v.currency = c.currency AND v.since <= {day}
        AND (v.until IS NULL OR v.until > {day})
        AND (v.home IS NULL OR v.home = {home})
        AND ({host} = {home} OR {host} = ANY({honoured}))
        AND (v.hosts IS NULL OR EXISTS (
            SELECT FROM accounts_region h WHERE h.id = {host} AND h.lineage && v.hosts
        ))
    """


def best_cover(eligible: str) -> str:
    """Return SQL for the largest amount that one of the vouchers `v` covers; it repeats the amount of
    `best_cover` (pricing/domain/vouchers)."""
    return f"greatest(0, max(least({percentage('v.percent', eligible)}, v.remaining, v.cap)))"


def least_payable(
    *, rate: str, minutes: str, is_internal: str, discount: str, voucher: str, is_reversed: str = "false"
) -> str:
    """Return the least amount that `quote` (pricing/domain/fees) can give for a rate and a length on any day
    and at any hour: with the cheapest band and tier, and the largest discount and voucher, in percent. A
    daily cap may make the use free; two minor units allow for rounding."""
    return f"""
        (({usage(rate, minutes)})
            * least(1, (SELECT min((b ->> 'multiplier')::numeric)
                FROM jsonb_array_elements(coalesce(c.card -> 'bands', '[]')) b))
            * coalesce((SELECT min((t ->> 'multiplier')::numeric)
                FROM jsonb_array_elements(coalesce(c.card -> 'tiers', '[]')) t), 1)
            * CASE WHEN c.card ->> 'daily_cap_minutes' IS NULL THEN 1 ELSE 0 END
            * (1 - {discount}::numeric / 100)
            + {SETUP})
        * (1 + ({taxed_for(is_internal, is_reversed)} - {voucher}::numeric) / 100)
        - 2 * power(10::numeric, -{DIGITS})
    """  # noqa: S608  # names of ours; every value is bound
