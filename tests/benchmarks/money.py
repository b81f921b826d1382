"""Adds money, people and a trail to a register with bookings: `python -m tests.benchmarks.money`.

A sample of the past year's bookings is charged, with quotes, ledger, statements, payments,
vouchers and funding, and as many trail entries as asked for are sealed. One payer has half of all
charges; one of its statements is long. Quotes and charges come from the fee rule itself, once for
each card, group, length and ending, and replay to the cent; rows are made by the server.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.benchmarks.volume import _run, _usual

COUNTRY = "CN"
PERCENT = Decimal(20)  # of the use that vouchers cover
SOURCES = 20  # of the payer that has half of all charges


@dataclass(frozen=True)
class Amounts:
    """How much of each. `longest`: the charges of one statement."""

    charges: int = 200_000
    coming: int = 100_000
    longest: int = 618
    entries: int = 1_000_000


@dataclass(frozen=True)
class _World:
    """Who plays which part: the host with most instruments of a country, and its payer."""

    now: datetime
    host: Any
    payer: Any
    country: Any

    @property
    def longest_month(self) -> date:
        """The month of the long statement."""
        from bookings.record.domain.months import month_before, month_of

        return month_before(month_of(self.now, self.host.region.time_zone), 3)


def add_money(amounts: Amounts, *, now: datetime, say: Callable[[str], Any]) -> None:
    """Add all that money needs to a database that `volume.build` filled `with_use`."""
    world = _world(now)
    _vouchers(world)
    _run(_uses(world, amounts) + _payers(world))
    _shapes(now)
    say("quoted and charged by the rule")
    for name, statements in (
        ("quotes", _quotes()),
        ("charges", _charges(world)),
        ("ledger", _ledger("charge", _OF_CHARGES)),
        ("statements", _statements(world)),
        ("payments", _payments(world) + _ledger("payment", _OF_PAYMENTS)),
        ("funding", _funding(world)),
    ):
        _run(statements)
        say(name)
    _settlements(world)
    _people(world)
    _run(["DROP TABLE bench_use, bench_shape", "ANALYZE"])
    say("settlements and people")
    if amounts.entries:
        _trail(amounts.entries, now)
        say(f"{amounts.entries:,} entries, sealed")


def _world(now: datetime) -> _World:
    from django.db.models import Count

    from accounts.models import Organisation, Region

    country = Region.objects.get(code=COUNTRY, scheme="bench")
    places = Organisation.objects.filter(region__parent=country).select_related("region")
    host = places.annotate(size=Count("instruments")).order_by("-size", "pk")[0]
    payer = places.filter(kind="university").exclude(pk=host.pk).order_by("pk")[0]
    return _World(now, host, payer, country)


def _vouchers(world: _World) -> None:
    """A programme of the country, with a grant for each of its organisations."""
    from accounts.models import Membership, Organisation
    from bookings.models import VoucherGrant, VoucherProgramme

    maker = Membership.objects.filter(organisation=world.payer).order_by("user_id")[0].user
    begins = (world.now - timedelta(days=800)).date()
    programme = VoucherProgramme.objects.create(
        region=world.country,
        code="bench-vouchers",
        name="Vouchers",
        percent=PERCENT,
        currency=world.country.currency,
        valid_from=begins,
        created_by=maker,
        created_at=world.now - timedelta(days=800),
    )
    VoucherGrant.objects.bulk_create(
        VoucherGrant(
            programme=programme,
            organisation=organisation,
            code=f"v-{organisation.code}",
            amount=Decimal(10**9),
            valid_from=begins,
            valid_until=begins + timedelta(days=1600),
            granted_by=maker,
            granted_at=world.now - timedelta(days=800),
        )
        for organisation in Organisation.objects.filter(region__parent=world.country)
    )


# Since when bookings are charged, and from their end until their charge.
YEAR = timedelta(days=365)
CHARGED_AFTER = timedelta(minutes=30)


def _uses(world: _World, amounts: Amounts) -> list[str]:
    """Which bookings are charged, quoted or asked for, and how each ended."""
    from bookings.pricing.domain.charges import DISPUTABLE
    from bookings.record.domain.months import month_after

    zone = ZoneInfo(world.host.region.time_zone)
    since, until = (
        datetime.combine(month, datetime.min.time(), zone) - DISPUTABLE - CHARGED_AFTER
        for month in (world.longest_month, month_after(world.longest_month))
    )
    names = "id, host_id, state, start_at, end_at, ended_at"
    is_long = (
        f"host_id = '{world.host.pk}' AND ended_at >= '{since.isoformat()}'"
        f" AND ended_at < '{until.isoformat()}'"
    )
    now, payer = f"'{world.now.isoformat()}'::timestamptz", world.payer
    return [
        f"""
        CREATE UNLOGGED TABLE bench_use AS
        WITH chosen AS (
            (SELECT {names}, 'long' AS part FROM bookings_reservation
             WHERE state = 'completed' AND {is_long}
             ORDER BY hashtext(id::text) LIMIT {amounts.longest})
            UNION ALL
            (SELECT {names}, 'usual' FROM bookings_reservation
             WHERE state IN ('completed', 'no_show') AND ended_at < {now} - interval '1 day'
             AND ended_at > '{(world.now - YEAR).isoformat()}' AND NOT ({is_long})
             ORDER BY hashtext(id::text) LIMIT {amounts.charges - amounts.longest})
            UNION ALL
            (SELECT {names}, 'coming' FROM bookings_reservation
             WHERE state = 'confirmed' AND start_at > {now} + interval '1 hour'
             ORDER BY start_at, id LIMIT {amounts.coming})
        ), numbered AS (
            SELECT *, row_number() OVER (PARTITION BY part ORDER BY start_at, id)::int AS n
            FROM chosen
        )
        SELECT id, part, n, host_id, start_at, end_at,
            part = 'long' OR (part = 'usual' AND n % 2 = 0)
                OR (part = 'coming' AND n % 200 = 0) AS is_of_payer,
            CASE WHEN state = 'no_show' AND n % 4 < 2 THEN 'cancelled'
                WHEN part = 'coming' AND (n % 50 = 7
                    OR (host_id = '{world.host.pk}' AND n % 3 = 0)) THEN 'requested'
                ELSE state END AS state,
            CASE WHEN state = 'no_show' AND n % 4 < 2 THEN start_at - interval '2 hours'
                ELSE ended_at END AS ended_at
        FROM numbered
        """,
        "CREATE UNIQUE INDEX ON bench_use (id)",
        "ANALYZE bench_use",
        "DELETE FROM bookings_occupancy o USING bench_use u"
        " WHERE o.reservation_id = u.id AND u.state = 'cancelled'",
        f"""
        WITH member AS (
            SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS k, count(*) OVER () AS size
            FROM accounts_membership WHERE organisation_id = '{payer.pk}'
        )
        UPDATE bookings_reservation r SET organisation_id = '{payer.pk}',
            payer_region_id = '{payer.region_id}', user_id = m.user_id, made_by_id = m.user_id,
            price_group = CASE WHEN r.host_id = '{payer.pk}' THEN 'internal'
                WHEN r.host_region_id = '{payer.region_id}' THEN 'regional' ELSE 'external' END
        FROM bench_use u JOIN member m ON m.k = u.n / 2 % m.size
        WHERE u.id = r.id AND u.is_of_payer
        """,
        f"""
        UPDATE bookings_reservation r SET state = u.state, ended_at = u.ended_at,
            confirmed_at = CASE WHEN u.state = 'requested' THEN NULL ELSE r.confirmed_at END,
            deadline_at = CASE WHEN u.state = 'requested'
                THEN least(r.start_at, {now} + make_interval(days => 1 + u.n % 5)) END
        FROM bench_use u WHERE u.id = r.id AND u.state <> r.state
        """,
    ]


def _payers(world: _World) -> list[str]:
    """What a fee depends on, beside each use."""
    return [
        f"""
        CREATE UNLOGGED TABLE bench_priced AS
        SELECT u.*, r.organisation_id, r.payer_region_id, r.host_region_id, r.price_group,
            r.service_mode, md5(c.card::text) AS card, c.id AS card_id, f.time_zone,
            h.time_zone AS host_zone,
            extract(epoch FROM r.end_at - r.start_at)::int / 60 AS minutes, g.id AS grant_id,
            g.code AS grant_code, u.ended_at + interval '30 minutes' AS created_at
        FROM bench_use u
        JOIN bookings_reservation r ON r.id = u.id
        JOIN instruments_ratecard c ON c.id = r.rate_card_id
        JOIN instruments_instrument i ON i.id = r.instrument_id
        JOIN instruments_facility f ON f.id = i.facility_id
        JOIN accounts_region h ON h.id = r.host_region_id
        JOIN accounts_region p ON p.id = r.payer_region_id
        LEFT JOIN bookings_vouchergrant g ON g.organisation_id = r.organisation_id
            AND u.n / 2 % 10 = 3 AND u.part <> 'coming' AND r.host_id <> r.organisation_id
            AND c.currency = '{world.country.currency}'
        WHERE c.card -> 'rates' ? r.price_group
        """,
        "DROP TABLE bench_use",
        "ALTER TABLE bench_priced RENAME TO bench_use",
        "CREATE INDEX ON bench_use (card, price_group, minutes)",
        "ANALYZE bench_use",
    ]


SHAPES = """
    CREATE UNLOGGED TABLE bench_shape (
        card text, price_group text, minutes int, service_mode text, state text, is_covered bool,
        currency text, inputs jsonb, result jsonb, total numeric, payable numeric, kind text,
        charge_inputs jsonb, charge_result jsonb, charge_tax numeric, charge_total numeric,
        charge_payable numeric
    )
"""


def _shapes(now: datetime) -> None:
    """Store quote and charge of each sort of use, by the fee rule."""
    from django.db import connection
    from psycopg.types.json import Jsonb

    from bookings.pricing.domain import fees
    from bookings.pricing.domain.charges import Ending, charge
    from bookings.pricing.domain.quotes import QuoteInput, input_to_json, quote_to_json
    from bookings.pricing.domain.vouchers import GrantValues
    from instruments.rates.domain.ratecards import parse_rate_card

    grant = GrantValues(
        code="grant", percent=PERCENT, cap_per_booking=None, remaining=Decimal(10**6), expires=None
    )
    sorts = _run(
        [
            "SELECT DISTINCT ON (u.card, u.price_group, u.minutes, u.service_mode, u.state,"
            " u.grant_id IS NOT NULL) u.card, u.price_group, u.minutes, u.service_mode, u.state,"
            " u.grant_id IS NOT NULL, c.card::text"
            " FROM bench_use u JOIN instruments_ratecard c ON c.id = u.card_id"
        ]
    )
    _run([SHAPES])
    with connection.cursor() as cursor, cursor.copy("COPY bench_shape FROM STDIN") as out:
        for card, group, minutes, mode, state, is_covered, content in sorts:
            quoted = QuoteInput(
                card=parse_rate_card(json.loads(content)),
                time_zone="UTC",
                start=now,
                end=now + timedelta(minutes=minutes),
                price_group=group,
                service_mode=mode,
                grants=(grant,) if is_covered else (),
            )
            quote = fees.quote(quoted)
            ended_at = now - timedelta(hours=2) if state == "cancelled" else quoted.end
            due = charge(quoted, Ending(state, ended_at, True, False, (now, quoted.end)))
            out.write_row(
                (
                    *(card, group, minutes, mode, state, is_covered, quote.currency),
                    *(Jsonb(input_to_json(quoted)), Jsonb(quote_to_json(quote))),
                    *(quote.total, quote.payable),
                    *(_stored(due) if due else (None,) * 6),
                )
            )


def _stored(due: Any) -> tuple[Any, ...]:
    from psycopg.types.json import Jsonb

    return (due.kind, Jsonb(due.inputs), Jsonb(due.result), due.tax, due.total, due.payable)


def _insert(model: Any, values: Mapping[str, str], source: str) -> str:
    """Rows of a table; a column without an expression takes its default, a counted key the next
    number."""
    columns = {
        f.column: values.get(f.attname) or _usual(f)
        for f in model._meta.concrete_fields
        if f.attname in values or f.get_internal_type() != "BigAutoField"
    }
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
        f" SELECT {', '.join(columns.values())} {source}"
    )


def _key(kind: int, moment: str, number: str) -> str:
    """A key of a row made at a moment, as the platform makes them; the number tells those of one
    moment apart."""
    made = f"lpad(to_hex((extract(epoch FROM {moment}) * 1000)::bigint), 12, '0')"
    return (
        f"(left({made}, 8) || '-' || right({made}, 4) || '-7{kind:03x}-8000-'"
        f" || lpad(to_hex({number}), 12, '0'))::uuid"
    )


def _instant(moment: str) -> str:
    """As inputs of a fee hold it."""
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"


# Of a use `u` with its shape `s`: the inputs of its quote, with its own times, zone and grant.
_INPUTS = f"""jsonb_build_object(
    'start', {_instant("u.start_at")}, 'end', {_instant("u.end_at")}, 'timezone', u.time_zone
) || CASE WHEN s.is_covered
    THEN jsonb_build_object('grants', jsonb_set(s.inputs -> 'grants', '{{0,code}}',
        to_jsonb(u.grant_code)))
    ELSE '{{}}' END"""
_VOUCHER = """CASE WHEN s.is_covered THEN jsonb_build_object('voucher', u.grant_code)
    ELSE '{}' END"""
_SHAPED = """FROM bench_use u JOIN bench_shape s ON s.card = u.card
    AND s.price_group = u.price_group AND s.minutes = u.minutes
    AND s.service_mode = u.service_mode AND s.state = u.state
    AND s.is_covered = (u.grant_id IS NOT NULL)"""
_NUMBER = "(CASE u.part WHEN 'long' THEN 1 WHEN 'usual' THEN 2 ELSE 3 END * 16777216 + u.n)"


def _quotes() -> list[str]:
    from bookings.models import Quote

    made = "least(u.start_at - interval '5 days', now())"
    values = {
        "id": _key(6, made, _NUMBER),
        "reservation_id": "u.id",
        "inputs": f"s.inputs || {_INPUTS}",
        "result": f"s.result || {_VOUCHER}",
        "currency": "s.currency",
        "total": "s.total",
        "payable": "s.payable",
        "created_at": made,
    }
    return [_insert(Quote, values, _SHAPED)]


def _charges(world: _World) -> list[str]:
    """Open, disputed, final and reversed ones; those that were corrected with what took them back
    and what stands instead."""
    from bookings.models import Charge, Correction, Dispute

    now = f"'{world.now.isoformat()}'::timestamptz"
    until = "u.created_at + interval '7 days'"
    # Of the payer's charges at the host none is disputed or corrected: its long statement stays.
    is_plain = f"(u.is_of_payer AND u.host_id = '{world.host.pk}')"
    is_disputed = f"""(NOT {is_plain} AND (u.n % 400 = 11
        OR ({until} > {now} AND u.n % 20 = 11)))"""
    is_reversed = f"(NOT {is_plain} AND u.n % 100 = 1 AND {until} < {now} - interval '10 days')"
    is_final = f"({until} <= {now} AND NOT {is_disputed})"

    def month(moment: str) -> str:
        return f"date_trunc('month', ({moment}) AT TIME ZONE u.host_zone)::date"

    values = {
        "id": _key(7, "u.created_at", _NUMBER),
        "reservation_id": "u.id",
        "kind": "s.kind",
        "state": f"""CASE WHEN {is_reversed} THEN 'reversed' WHEN {is_disputed} THEN 'disputed'
            WHEN {is_final} THEN 'final' ELSE 'open' END""",
        "organisation_id": "u.organisation_id",
        "host_id": "u.host_id",
        "payer_region_id": "u.payer_region_id",
        "host_region_id": "u.host_region_id",
        "inputs": f"""CASE WHEN s.kind = 'use' THEN s.charge_inputs || {_INPUTS}
            ELSE s.charge_inputs || jsonb_build_object(
                'ended_at', {_instant("u.ended_at")}, 'quote', s.inputs || {_INPUTS}) END""",
        "result": f"s.charge_result || CASE WHEN s.kind = 'use' THEN {_VOUCHER} ELSE '{{}}' END",
        "currency": "s.currency",
        "tax": "s.charge_tax",
        "total": "s.charge_total",
        "covered": "s.charge_total - s.charge_payable",
        "payable": "s.charge_payable",
        "grant_id": "CASE WHEN s.charge_total <> s.charge_payable THEN u.grant_id END",
        "created_at": "u.created_at",
        "open_until": until,
        "final_at": f"CASE WHEN {is_final} THEN {until} END",
        "month": f"CASE WHEN {is_final} THEN {month(until)} END",
    }
    charged = f"{_SHAPED} WHERE u.part <> 'coming' AND s.kind IS NOT NULL"
    corrected_at = f"{until} + interval '3 days'"
    taken = {f.attname: f"c.{f.column}" for f in Charge._meta.concrete_fields}
    amounts = {name: f"-c.{name}" for name in ("tax", "total", "covered", "payable")}
    reversal = taken | amounts | {
        "id": _key(8, corrected_at, _NUMBER),
        "kind": "'reversal'",
        "state": "'final'",
        "reverses_id": "c.id",
        "inputs": "jsonb_build_object('charge', c.id)",
        "result": f"""jsonb_build_object({", ".join(
            f"'{name}', round({amount}, 2)::text" for name, amount in amounts.items()
        )})""",
        "created_at": corrected_at,
        "open_until": "NULL",
        "final_at": corrected_at,
        "month": month(corrected_at),
    }  # fmt: skip
    closes_at = f"{corrected_at} + interval '7 days'"
    is_again_final = f"({closes_at} <= {now})"
    again = taken | {
        "id": _key(9, corrected_at, _NUMBER),
        "state": f"CASE WHEN {is_again_final} THEN 'final' ELSE 'open' END",
        "created_at": corrected_at,
        "open_until": closes_at,
        "final_at": f"CASE WHEN {is_again_final} THEN {closes_at} END",
        "month": f"CASE WHEN {is_again_final} THEN {month(closes_at)} END",
    }
    reversed_ones = "FROM bench_use u JOIN bookings_charge c ON c.reservation_id = u.id"
    where = "WHERE c.state = 'reversed' AND c.kind = 'use'"
    people = """JOIN LATERAL (
        SELECT min(user_id::text)::uuid AS one, max(user_id::text)::uuid AS other
        FROM accounts_membership m WHERE m.organisation_id = u.host_id
    ) p ON true"""
    correction = {
        "id": _key(10, corrected_at, _NUMBER),
        "charge_id": "c.id",
        "state": "'agreed'",
        "reason": "'times of use'",
        "kind": "c.kind",
        "inputs": "c.inputs",
        "result": "c.result",
        "total": "c.total",
        "payable": "c.payable",
        "proposed_by_id": "p.one",
        "proposed_at": f"{corrected_at} - interval '1 day'",
        "decided_by_id": "p.other",
        "decided_at": corrected_at,
        "replacement_id": _key(9, corrected_at, _NUMBER),
    }
    dispute = {
        "id": _key(11, "c.created_at", _NUMBER),
        "charge_id": "c.id",
        "reason": "'too long'",
        "opened_by_id": "r.user_id",
        "opened_at": "c.created_at + interval '1 day'",
    }
    return [
        _insert(Charge, values, charged),
        "UPDATE bookings_charge SET state = 'final' WHERE state = 'reversed' AND kind <> 'use'",
        _insert(Charge, reversal, f"{reversed_ones} {where}"),
        _insert(Charge, again, f"{reversed_ones} {where}"),
        _insert(Correction, correction, f"{reversed_ones} {people} {where}"),
        _insert(
            Dispute,
            dispute,
            f"{reversed_ones} JOIN bookings_reservation r ON r.id = u.id WHERE c.state = 'disputed'",
        ),
    ]


# What is posted to the ledger: rows with parties, and accounts with amounts (`domain/ledger.py`).
_OF_CHARGES = """
    SELECT c.id, c.created_at AS at, c.host_id, c.organisation_id AS payer_id, c.host_region_id,
        c.payer_region_id, c.currency, a.account, a.amount
    FROM bookings_charge c, LATERAL (VALUES ('receivable', c.payable), ('subsidy', c.covered),
        ('revenue', c.tax - c.covered - c.payable), ('tax', -c.tax)) a (account, amount)
    WHERE a.amount <> 0
"""
_OF_PAYMENTS = """
    SELECT p.id, p.entered_at AS at, s.host_id, s.payer_id, s.host_region_id, s.payer_region_id,
        p.currency, a.account, a.amount
    FROM bookings_payment p JOIN bookings_statement s ON s.id = p.statement_id,
        LATERAL (VALUES ('received', p.amount), ('receivable', -p.amount)) a (account, amount)
"""


def _ledger(kind: str, rows: str) -> list[str]:
    """An entry for each charge or payment, with its postings; the key of one is the other's."""
    from bookings.models import LedgerEntry, Posting

    entry = {"id": "p.id", "kind": f"'{kind}'", "at": "min(p.at)", f"{kind}_id": "p.id"}
    posting = {f.attname: f"p.{f.column}" for f in Posting._meta.concrete_fields if f.name != "id"}
    return [
        _insert(LedgerEntry, entry, f"FROM ({rows}) p GROUP BY p.id"),
        _insert(Posting, posting | {"entry_id": "p.id"}, f"FROM ({rows}) p"),
    ]


def _statements(world: _World) -> list[str]:
    """Of every month that is over, as drawn up on the second day of the next."""
    from bookings.models import ClosedMonth, Statement, StatementCounter
    from bookings.settlement.selectors.papers import _PRINTED

    this_month = f"'{world.now:%Y-%m}-01'::date"
    issued = "(c.month + interval '1 month 1 day 2 hours') AT TIME ZONE 'UTC'"

    def party(row: str) -> str:
        return f"jsonb_build_object({', '.join(f"'{name}', {row}.{name}" for name in _PRINTED)})"

    statement = {
        "id": _key(12, issued, "(row_number() OVER (ORDER BY c.host_id, c.payer_id))::int"),
        **{
            name: f"c.{name}"
            for name in (
                "host_id", "payer_id", "host_region_id", "payer_region_id", "month", "currency",
                "charges", "tax", "total", "covered", "payable",
            )
        },
        "year": f"extract(year FROM {issued})::int",
        "number": f"""(row_number() OVER (PARTITION BY c.host_id, extract(year FROM {issued})
            ORDER BY c.month, c.payer_id, c.currency))::int""",
        "state": "CASE WHEN c.payable = 0 THEN 'paid' ELSE 'issued' END",
        "issued_at": issued,
        "due_date": "(c.month + interval '1 month 31 days')::date",
        "parties": f"""jsonb_build_object('host', {party("h")}, 'payer',
            {party("p")} || CASE WHEN c.payable >= 0 THEN '{{"bank_account": ""}}'::jsonb
            ELSE '{{}}' END)""",
    }  # fmt: skip
    return [
        _insert(
            ClosedMonth,
            {
                "id": "gen_random_uuid()", "host_id": "c.host_id", "month": "c.month",
                "closed_at": issued,
            },
            f"""FROM (SELECT h.host_id, m.month FROM
                (SELECT DISTINCT host_id FROM bookings_charge) h,
                (SELECT DISTINCT month FROM bookings_charge WHERE month < {this_month}) m) c""",
        ),
        _insert(
            Statement,
            statement,
            f"""FROM (
                SELECT host_id, organisation_id AS payer_id, month, currency, payer_region_id,
                    host_region_id, count(*)::int AS charges, sum(tax) AS tax, sum(total) AS total,
                    sum(covered) AS covered, sum(payable) AS payable
                FROM bookings_charge WHERE month < {this_month} GROUP BY 1, 2, 3, 4, 5, 6
            ) c JOIN accounts_organisation h ON h.id = c.host_id
            JOIN accounts_organisation p ON p.id = c.payer_id""",
        ),
        """
        INSERT INTO bookings_statementline (statement_id, position, charge_id, is_void)
        SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY r.start_at, c.id), c.id, false
        FROM bookings_charge c
        JOIN bookings_reservation r ON r.id = c.reservation_id
        JOIN bookings_statement s ON s.host_id = c.host_id AND s.payer_id = c.organisation_id
            AND s.currency = c.currency AND s.month = c.month
        """,
        _insert(
            StatementCounter,
            {
                "id": "gen_random_uuid()", "host_id": "s.host_id", "year": "s.year",
                "last": "s.last",
            },
            "FROM (SELECT host_id, year, max(number) AS last FROM bookings_statement"
            " GROUP BY 1, 2) s",
        ),
    ]  # fmt: skip


def _payments(world: _World) -> list[str]:
    """What is long due is paid, of one in ten the half; some payers say that they have paid."""
    from bookings.models import Payment, PaymentNotice

    today = f"'{world.now.date()}'::date"
    member = "(SELECT min(user_id::text)::uuid FROM accounts_membership m WHERE m.organisation_id"
    paid_at = "s.issued_at + interval '25 days'"
    payment = {
        "id": "gen_random_uuid()",
        "statement_id": "s.id",
        "amount": """CASE WHEN s.number % 10 = 3 AND s.payable <> round(s.payable / 2)
            AND round(s.payable / 2) <> 0 THEN round(s.payable / 2) ELSE s.payable END""",
        "currency": "s.currency",
        "paid_on": f"({paid_at})::date",
        "entered_by_id": f"{member} = s.host_id)",
        "entered_at": paid_at,
    }
    notice = {
        "id": "gen_random_uuid()",
        "statement_id": "s.id",
        "amount": "s.payable",
        "currency": "s.currency",
        "paid_on": f"{today} - 1",
        "reported_by_id": f"{member} = s.payer_id)",
        "reported_at": f"'{world.now.isoformat()}'",
    }
    return [
        _insert(
            Payment,
            payment,
            f"FROM bookings_statement s WHERE s.payable <> 0 AND s.number % 20 <> 7"
            f" AND s.due_date < {today} - 30",
        ),
        """
        UPDATE bookings_statement s SET paid = p.amount,
            state = CASE WHEN p.amount = s.payable THEN 'paid' ELSE 'part_paid' END,
            version = s.version + 1
        FROM bookings_payment p WHERE p.statement_id = s.id
        """,
        _insert(
            PaymentNotice,
            notice,
            "FROM bookings_statement s WHERE s.state = 'issued' AND s.payable > 0 AND s.number % 20 = 9",
        ),
    ]


def _funding(world: _World) -> list[str]:
    """Sources of the payer; what is set aside in them, and of grants, for some of the uses."""
    from accounts.models import Membership
    from bookings.models import Earmark, FundingSource

    members = Membership.objects.filter(organisation=world.payer).order_by("user_id")
    owners = [member.user_id for member in members]
    FundingSource.objects.bulk_create(
        FundingSource(
            organisation=world.payer,
            code=f"P-{number:02d}",
            name=f"Project {number}",
            owner_id=owners[number % len(owners)],
            is_open=number % 2 == 0,
            currency=world.payer.region.currency,
            budget=Decimal(10**9) if number % 3 else None,
            valid_from=(world.now - timedelta(days=800)).date(),
            created_by_id=owners[0],
            created_at=world.now - timedelta(days=800),
        )
        for number in range(SOURCES)
    )
    of_source = f"""
        FROM bench_use u
        JOIN bookings_fundingsource f ON f.organisation_id = '{world.payer.pk}'
            AND f.code = 'P-' || lpad((u.n / 2 % {SOURCES})::text, 2, '0')
        JOIN bookings_quote q ON q.reservation_id = u.id AND q.currency = f.currency
        LEFT JOIN bookings_charge c ON c.reservation_id = u.id AND c.state <> 'reversed'
            AND c.reverses_id IS NULL
        WHERE u.is_of_payer AND (u.part = 'coming' OR (c.id IS NOT NULL AND u.n / 2 % 4 = 0))
    """
    made = "least(u.start_at - interval '5 days', now())"
    source = {
        "id": _key(14, made, _NUMBER),
        "reservation_id": "u.id",
        "source_id": "f.id",
        "percent": "100",
        "held": "CASE WHEN c.id IS NULL THEN q.payable ELSE 0 END",
        "redeemed": "coalesce(c.payable, 0)",
        "created_at": made,
        "released_at": "c.created_at",
    }
    grant = {
        "id": _key(15, made, _NUMBER),
        "reservation_id": "u.id",
        "grant_id": "u.grant_id",
        "redeemed": "c.covered",
        "created_at": made,
        "released_at": "c.created_at",
    }
    return [
        _insert(Earmark, source, of_source),
        _insert(
            Earmark,
            grant,
            """FROM bench_use u JOIN bookings_charge c ON c.reservation_id = u.id
                AND c.state <> 'reversed' AND c.reverses_id IS NULL AND c.grant_id = u.grant_id""",
        ),
        """
        UPDATE bookings_fundingsource f SET held = e.held, spent = e.redeemed FROM (
            SELECT source_id, sum(held) AS held, sum(redeemed) AS redeemed
            FROM bookings_earmark GROUP BY 1
        ) e WHERE e.source_id = f.id
        """,
        """
        UPDATE bookings_vouchergrant g SET redeemed = e.redeemed FROM (
            SELECT grant_id, sum(redeemed) AS redeemed FROM bookings_earmark GROUP BY 1
        ) e WHERE e.grant_id = g.id
        """,
        """
        UPDATE bookings_voucherprogramme p SET granted = g.amount FROM (
            SELECT programme_id, sum(amount) AS amount FROM bookings_vouchergrant GROUP BY 1
        ) g WHERE g.programme_id = p.id
        """,
    ]


def _settlements(world: _World) -> None:
    """Between regions, by the service that draws them up."""
    from bookings.models import ClosedMonth
    from bookings.settlement.services.settlements import settlements_draw

    months = ClosedMonth.objects.order_by("month").values_list("month", flat=True).distinct()
    for month in months:
        settlements_draw(month=month, now=world.now)


def _people(world: _World) -> None:
    """Somebody with each role: `manager@bench.example` of the host, `finance@` of its payer,
    `coordinator@` and `auditor@` of the country, `administrator@` of the platform."""
    from accounts.models import Membership, RoleGrant, User

    for role, where in (
        ("manager", {"organisation": world.host}),
        ("finance", {"organisation": world.payer}),
        ("coordinator", {"region": world.country}),
        ("auditor", {"region": world.country}),
        ("administrator", {}),
    ):
        user = User.objects.create_user(
            f"{role}@bench.example",
            name=role.title(),
            is_staff=role == "administrator",
            is_superuser=role == "administrator",
        )
        if "organisation" in where:
            Membership.objects.create(user=user, started_at=world.now, **where)
        RoleGrant.objects.create(user=user, role=role, granted_at=world.now, **where)


def _trail(entries: int, now: datetime) -> None:
    """As acts on bookings and charges of the past year leave them."""
    from accounts.services.seals import trail_seal
    from bookings.models import Charge, Reservation
    from tests.benchmarks.trail import Affair, fill

    def affairs(model: Any, order: str) -> list[Affair]:
        rows = model.objects.select_related("host_region", "payer_region").order_by(order)
        return [Affair.of(row) for row in rows.defer("inputs", "result")[:5_000]]

    people = list(Reservation.objects.order_by("-id").values_list("user_id", flat=True)[:5_000])
    some = affairs(Charge, "id") + affairs(Charge, "-id")
    fill(entries, people=people, affairs=some, start=now - timedelta(seconds=20 * entries))
    trail_seal(now=now)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    usual = Amounts()
    for name in ("charges", "coming", "longest", "entries"):
        parser.add_argument(f"--{name}", type=int, default=getattr(usual, name))
    amounts = Amounts(**vars(parser.parse_args()))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from bookings.models import Charge, Reservation

    if Charge.objects.exists() or not Reservation.objects.exists():
        parser.error("name a database in DATABASE_URL that has bookings and no charges")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    add_money(amounts, now=now, say=print)


if __name__ == "__main__":
    main()
