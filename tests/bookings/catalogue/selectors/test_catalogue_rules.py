"""Each rule that is also written in SQL: both say the same of generated rows."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.currencies import MINOR_DIGITS
from accounts.models import Region
from bookings.catalogue.selectors import catalogue_rules as rules
from bookings.catalogue.selectors.catalogue_sieve import raw
from bookings.pricing.domain.fees import price_group, quote, taxed_for
from bookings.pricing.domain.quotes import QuoteInput
from bookings.pricing.domain.vouchers import GrantOffer, GrantValues, Use, best_cover, usable
from bookings.pricing.selectors.fees import first_mode
from bookings.record.domain.money import percentage, round_half_up
from instruments.policy.domain.policies import parse_policy
from instruments.rates.domain.ratecards import SERVICE_MODES as MODES
from instruments.rates.domain.ratecards import card_in_force, parse_rate_card, to_json

pytestmark = pytest.mark.django_db
compared = settings(max_examples=max(5, settings().max_examples // 10), deadline=None)
DAY = timedelta(days=1)
BEGIN = date(2026, 3, 1)
GROUPS = ("internal", "regional", "partner", "external", "industry")


def asked(sql: str, columns: str, rows: Any, alias: str = "c") -> list[Any]:
    """What a fragment says of each row, whose columns are those of `alias`."""
    given = [dict(row, n=n) for n, row in enumerate(rows)]
    statement = raw(
        f"SELECT {sql} FROM jsonb_to_recordset(%(rows)s::jsonb) AS {alias} (n int, {columns}) ORDER BY n",
        (),
        {"rows": json.dumps(given, default=str), "digits": json.dumps(MINOR_DIGITS)},
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return [answer for (answer,) in cursor.fetchall()]


def lists(**values: Any) -> Any:
    return st.lists(st.fixed_dictionaries(values), min_size=10, max_size=30)


def amounts(places: int = 2, most: int = 5000) -> Any:
    return st.decimals(0, most, places=places)


days = st.integers(0, 5).map(lambda n: BEGIN + n * DAY)
percents = st.decimals(0, 100, places=3)
lengths = st.integers(1, 600)


@st.composite
def cards(draw: Any, plain: bool = True) -> Any:
    """A rate card, unless `plain` with bands, tiers and a daily cap."""
    currency = draw(st.sampled_from(["CNY", "EUR", "JPY", "KWD"]))
    setup = round_half_up(draw(amounts(3)), currency)
    every_night = {"code": "night", "weekdays": [*range(1, 8)], "opens": "00:00", "closes": "24:00"}
    more: dict[str, Any] = {}
    if not plain:
        multiplier = st.sampled_from(["0", "0.25", "1.5"])
        more = {
            "bands": draw(st.lists(multiplier.map(lambda m: every_night | {"multiplier": m}), max_size=1)),
            "tiers": draw(
                st.just([])
                | multiplier.map(
                    lambda m: [
                        {"after_minutes": 0, "multiplier": "1"},
                        {"after_minutes": 45, "multiplier": m},
                    ]
                )
            ),
            "daily_cap_minutes": draw(st.sampled_from([None, None, 30])),
        }
    return parse_rate_card(
        {
            "currency": currency,
            "valid_from": "2026-01-01",
            "rates": {group: str(draw(amounts(4))) for group in GROUPS},
            "rate_unit": draw(st.sampled_from(["hour", "hour", "hour", "sample"])),
            "billing_increment_minutes": draw(st.sampled_from([1, 7, 15, 60])),
            "minimum_minutes": draw(st.sampled_from([0, 0, 50, 120])),
            "setup_fee": str(setup),
            "tax_percent": str(draw(st.sampled_from(["0", "6", "8.875"]))),
        }
        | more
    )


def priced(row: Any, **more: Any) -> Any:
    """The quote of a row's card, group and minutes."""
    start = datetime(2026, 3, 2, 1, tzinfo=UTC)
    return quote(
        QuoteInput(
            card=taxed_for(row["card"], row["group"]),
            time_zone="Asia/Shanghai",
            start=start,
            end=start + row["minutes"] * timedelta(minutes=1),
            price_group=row["group"],
            quantity=Decimal(1),
            **{"service_mode": "entrusted"} | more,
        )
    )


def stored(rows: Any) -> list[Any]:
    """The rows with their cards as the database has them."""
    return [row | {"card": to_json(row["card"]), "currency": row["card"].currency} for row in rows]


CARD = 'card jsonb, currency text, "group" text, minutes int'
RATE = "(c.card -> 'rates' ->> c.\"group\")::numeric"
uses = {"card": cards(), "group": st.sampled_from(GROUPS), "minutes": lengths}


@compared
@given(
    rows=lists(
        host=st.integers(1, 3),
        payer=st.integers(1, 3),
        kind=st.sampled_from(["university", "enterprise"]),
        host_region=st.integers(1, 3),
        home=st.integers(1, 3),
        partners=st.lists(st.integers(1, 3), unique=True),
    )
)
def test_price_group(rows: Any) -> None:
    sql = rules.price_group(**{name: f"c.{name}" for name in rows[0]})
    columns = "host int, payer int, kind text, host_region int, home int, partners int[]"
    assert asked(sql, columns, rows) == [
        price_group(
            host_id=row["host"],
            payer_id=row["payer"],
            payer_kind=row["kind"],
            host_region_id=row["host_region"],
            payer_region_id=row["home"],
            has_agreement=row["host_region"] in row["partners"],
        )
        for row in rows
    ]


@compared
@given(
    rows=lists(valid_from=days, lasts=st.none() | st.integers(1, 3), first=days, more=st.integers(0, 3)).map(
        lambda rows: [
            row | {"valid_until": row["lasts"] and row["valid_from"] + row["lasts"] * DAY} for row in rows
        ]
    )
)
def test_in_force(rows: Any) -> None:
    sql = rules.in_force("c.first", "c.first + c.more")
    columns = "valid_from date, valid_until date, first date, more int, published_at date"
    assert asked(sql, columns, [row | {"published_at": BEGIN} for row in rows]) == [
        any(card_in_force([SimpleNamespace(**row)], row["first"] + n * DAY) for n in range(row["more"] + 1))
        for row in rows
    ]


POLICY = 'min_minutes int, max_minutes int, slot_minutes int, horizon_days jsonb, minutes int, "group" text'
policies = lists(
    slot_minutes=st.sampled_from([5, 15, 50, 60]),
    min_minutes=st.integers(1, 4),
    max_minutes=st.integers(4, 9),
    horizon_days=st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 365)),
    minutes=lengths,
    group=st.sampled_from(GROUPS),
).map(
    lambda rows: [
        row | {name: row[name] * row["slot_minutes"] for name in ("min_minutes", "max_minutes")}
        for row in rows
    ]
)


def policy_of(row: Any) -> Any:
    return parse_policy({name: row[name] for name in row if name not in ("minutes", "group")})


@compared
@given(rows=policies)
def test_allows(rows: Any) -> None:
    expected = [policy_of(row).allows(row["minutes"]) for row in rows]
    assert asked(rules.allows("p.minutes"), POLICY, rows, "p") == expected


@compared
@given(rows=policies)
def test_usual_minutes(rows: Any) -> None:
    assert asked(rules.usual_minutes(), POLICY, rows, "p") == [policy_of(row).usual_minutes for row in rows]


@compared
@given(rows=policies)
def test_horizon_for(rows: Any) -> None:
    expected = [policy_of(row).horizon_for(row["group"]) for row in rows]
    assert asked(rules.horizon_for('p."group"'), POLICY, rows, "p") == expected


@compared
@given(
    rows=lists(
        card=cards(),
        mode=st.sampled_from(["", *MODES]),
        modes=st.lists(st.sampled_from(MODES), min_size=1, unique=True),
    )
)
def test_serves_mode(rows: Any) -> None:
    def is_served(row: Any) -> bool:
        terms: Any = SimpleNamespace(card=SimpleNamespace(values=row["card"]), price_group="external")
        instrument: Any = SimpleNamespace(service_modes=row["modes"])
        mode = row["mode"] or first_mode(instrument, terms)
        return row["card"].rate_unit == "hour" or mode == "entrusted"

    columns = "card jsonb, currency text, mode text, modes text[]"
    assert asked(rules.serves_mode("c.mode", "c.modes"), columns, stored(rows)) == [*map(is_served, rows)]


def amount_of(kind: str, found: Any) -> Decimal:
    return sum((line.amount for line in found.lines if line.kind == kind), Decimal(0))


@compared
@given(rows=lists(**uses))
def test_usage(rows: Any) -> None:
    sql = f"round({rules.usage(RATE, 'c.minutes')}, {rules.DIGITS})"
    assert asked(sql, CARD, stored(rows)) == [amount_of("usage", priced(row)) for row in rows]


@compared
@given(rows=lists(currency=st.sampled_from(sorted(MINOR_DIGITS)), percent=percents, amount=amounts(3)))
def test_percentage(rows: Any) -> None:
    sql, columns = rules.percentage("c.percent", "c.amount"), "currency text, percent numeric, amount numeric"
    expected = [percentage(row["percent"], row["amount"], row["currency"]) for row in rows]
    assert asked(sql, columns, rows) == expected


@compared
@given(rows=lists(**uses, percent=percents))
def test_agreement(rows: Any) -> None:
    usage = f"round({rules.usage(RATE, 'c.minutes')}, {rules.DIGITS})"
    sql = rules.agreement('c."group"', "c.percent", usage)
    expected = [
        -amount_of("agreement", priced(row, agreement_discount_percent=row["percent"])) for row in rows
    ]
    assert asked(sql, f"{CARD}, percent numeric", stored(rows)) == expected


@st.composite
def cards_by_way(draw: Any) -> Any:
    """A rate card by way of working, with options that are part of its prices."""
    modes = draw(st.permutations(MODES))
    cut = draw(st.integers(1, 3))
    rows = [
        {
            "modes": some,
            "unit": draw(st.sampled_from(["hour", "sample"])) if some == ["entrusted"] else "hour",
            "rates": {
                group: str(draw(amounts(4))) for group in draw(st.sets(st.sampled_from(GROUPS), min_size=1))
            },
        }
        | draw(st.fixed_dictionaries({}, optional={"minimum_minutes": st.sampled_from([0, 120])}))
        for some in (modes[:cut], modes[cut : cut + 1])
    ]
    option = st.fixed_dictionaries(
        {
            "unit": st.just("hour"),
            "price": amounts(4).map(str),
            "when": st.sampled_from(["required", "offered", "on_use"]),
            "subsidised": st.booleans(),
        },
        optional={"modes": st.lists(st.sampled_from(MODES), unique=True)},
    )
    quantities = st.sampled_from(["billed", "0.5", None])
    options = draw(st.lists(st.tuples(option, quantities), max_size=3))
    return parse_rate_card(
        {
            "currency": draw(st.sampled_from(["CNY", "JPY", "KWD"])),
            "valid_from": "2026-01-01",
            "usage": rows,
            "billing_increment_minutes": draw(st.sampled_from([1, 7, 60])),
            "options": [
                {"code": f"o{n}"} | each | ({"quantity": quantity} if each["when"] == "required" else {})
                for n, (each, quantity) in enumerate(options)
            ],
        }
    )


by_way = {
    "card": cards_by_way(),
    "group": st.sampled_from(GROUPS),
    "minutes": lengths,
    "mode": st.sampled_from(["", *MODES]),
    "modes": st.lists(st.sampled_from(MODES), min_size=1, unique=True),
}


@compared
@given(rows=lists(**by_way))
def test_card_for_and_what_is_required(rows: Any) -> None:
    found = rules.card_for("c.mode", "c.modes", 'c."group"')
    columns = f"{CARD}, mode text, modes text[]"
    chosen = asked(f"(SELECT k FROM (SELECT {found} AS k) k)", columns, stored(rows))
    again = [
        row | {"card": json.loads(text) if isinstance(text, str) else text, "currency": row["card"].currency}
        for row, text in zip(rows, chosen, strict=True)
    ]
    mode = "c.card ->> 'mode'"
    all_of_it = asked(rules.required(mode, "c.minutes"), columns, again)
    subsidised = asked(rules.required(mode, "c.minutes", is_subsidised=True), columns, again)
    for row, told, required, covered in zip(rows, again, all_of_it, subsidised, strict=True):
        first = row["mode"] or row["card"].first_mode(row["modes"], row["group"])
        card = row["card"].for_mode(first)
        if card.usage or first not in row["modes"]:
            assert "rates" not in told["card"]
            continue
        assert told["card"]["mode"] == first
        assert told["card"]["rates"] == {group: f"{rate:f}" for group, rate in card.rates.items()}
        if row["group"] not in card.rates:
            continue
        answer = priced(row | {"card": card}, service_mode=first)
        lines = [line for line in answer.lines if line.kind == "option"]
        assert required == sum(line.amount for line in lines)
        free = {option.code for option in card.options if not option.subsidised}
        assert covered == sum(line.amount for line in lines if line.code not in free)


@compared
@given(rows=lists(**uses))
def test_taxed_for(rows: Any) -> None:
    sql = rules.taxed_for("c.\"group\" = 'internal'")
    expected = [taxed_for(row["card"], row["group"]).tax_percent for row in rows]
    assert asked(sql, CARD, stored(rows)) == expected
    reversed_too = rules.taxed_for("c.\"group\" = 'internal'", "c.\"group\" = 'external'")
    expected = [
        taxed_for(row["card"], row["group"], is_reversed=row["group"] == "external").tax_percent
        for row in rows
    ]
    assert asked(reversed_too, CARD, stored(rows)) == expected


@compared
@given(data=st.data())
def test_usable(shared_cast: Any, data: Any) -> None:
    regions = list(Region.objects.all())
    assert len(regions) > 2
    places = st.sampled_from([region.pk for region in regions])
    lineages = {region.pk: frozenset(region.lineage) for region in regions}
    rows = data.draw(
        lists(
            currency=st.sampled_from(["CNY", "EUR"]),
            since=days,
            until=st.none() | days,
            home=st.none() | places,
            hosts=st.lists(places, max_size=2),
            day=days,
            payer=places,
            host=places,
            honoured=st.lists(places, max_size=2),
        )
    )
    sql = rules.usable(day="v.day", home="v.payer", host="v.host", honoured="v.honoured")
    columns = """currency text, since date, until date, home uuid, hosts uuid[], day date, payer uuid,
        host uuid, honoured uuid[]"""
    given = [row | {name: [*map(str, row[name])] for name in ("hosts", "honoured")} for row in rows]
    given = [row | {"hosts": row["hosts"] or None} for row in given]
    sql = f"(SELECT {sql} FROM (SELECT 'CNY' AS currency) c)"

    def is_usable(row: Any) -> bool:
        offer = GrantOffer(
            UUID(int=1), "a", Decimal(1), None, row["currency"], Decimal(1), row["since"], row["until"],
            frozenset(row["hosts"]), row["home"],
        )  # fmt: skip
        is_honoured = row["host"] == row["payer"] or row["host"] in row["honoured"]
        return bool(usable([offer], Use(row["day"], "CNY", lineages[row["host"]], is_honoured, row["payer"])))

    assert asked(sql, columns, given, "v") == [*map(is_usable, rows)]


vouchers = st.builds(
    GrantValues,
    code=st.sampled_from("abc"),
    percent=percents,
    cap_per_booking=st.none() | amounts(),
    remaining=amounts(),
    expires=st.none(),
)


@compared
@given(rows=lists(grants=st.lists(vouchers, max_size=4), eligible=amounts()))
def test_best_cover(rows: Any) -> None:
    given = [
        {
            "eligible": row["eligible"],
            "currency": "CNY",
            "grants": [
                {"percent": str(g.percent), "cap": g.cap_per_booking and str(g.cap_per_booking)}
                | {"remaining": str(g.remaining)}
                for g in row["grants"]
            ],
        }
        for row in rows
    ]
    sql = f"""(SELECT {rules.best_cover("c.eligible")}
        FROM jsonb_to_recordset(c.grants) AS v (percent numeric, cap numeric, remaining numeric))"""
    expected = [best_cover(row["grants"], row["eligible"], "CNY")[1] for row in rows]
    assert asked(sql, "eligible numeric, currency text, grants jsonb", given) == expected


@compared
@given(
    rows=lists(**uses | {"card": cards(plain=False)}, percent=percents, grants=st.lists(vouchers, max_size=2))
)
def test_least_payable(rows: Any) -> None:
    """Nothing costs less; most often by far, as a cap alone may make the use free."""
    sql = rules.least_payable(
        rate=RATE,
        minutes="c.minutes",
        is_internal="c.\"group\" = 'internal'",
        discount="c.percent",
        voucher="c.voucher",
    )
    given = [
        row | {"voucher": max((grant.percent for grant in row["grants"]), default=0), "grants": None}
        for row in stored(rows)
    ]
    for row, least in zip(rows, asked(sql, f"{CARD}, percent numeric, voucher numeric", given), strict=True):
        payable = priced(row, agreement_discount_percent=row["percent"], grants=tuple(row["grants"])).payable
        assert least <= payable
        one = replace(row["card"], bands=(), tiers=(), daily_cap_minutes=None)
        if row["card"] == one and not row["grants"] and row["group"] != "partner" and not row["percent"]:
            assert payable - least < 4 * Decimal(10) ** -MINOR_DIGITS[one.currency]
