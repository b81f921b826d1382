"""What docs/fees.md says that the tables hold, asked of the tables alone, in plain SQL."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from accounts.domain.roles import By
from bookings import models
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.corrections import correction_propose
from instruments.rates.models import RateCard
from tests.factories.agreements import agree, grant, programme
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.charges import use
from tests.factories.funding import source

D = Decimal


def refused(constraint: str, sql: str, *values: Any) -> None:
    """The statement breaks the constraint, at once or where the transaction ends."""
    with (
        pytest.raises((IntegrityError, InternalError), match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)
        assert cursor.rowcount, "The statement touches nothing."
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("programme_within_budget", "budget = -1"),
        ("programme_within_budget", "budget = 999"),
        ("programme_within_budget", "granted = -0.01"),
        ("programme_within_budget", "granted = 2000.01"),
        ("programme_cap", "cap_per_booking = 0"),
        ("programme_cap", "cap_per_booking = -5"),
        ("programme_percent", "percent = 0"),
        ("programme_percent", "percent = 100.001"),
        ("programme_currency", "currency = 'XXX'"),
        ("programme_forward", "valid_until = valid_from"),
    ],
)
def test_a_programme(cast: Cast, constraint: str, changes: str) -> None:
    grant(cast, programme(cast, budget=D(2000)), "1000")
    refused(constraint, f"UPDATE bookings_voucherprogramme SET {changes}")


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("grant_never_below_zero", "held = -0.01"),
        ("grant_never_below_zero", "redeemed = -0.01"),
        ("grant_never_below_zero", "held = 600, redeemed = 400.01"),
        ("grant_within_budget", "amount = 2000.01"),
        ("grant_forward", "valid_until = valid_from"),
    ],
)
def test_a_grant(cast: Cast, constraint: str, changes: str) -> None:
    grant(cast, programme(cast, budget=D(2000)), "1000")
    refused(constraint, f"UPDATE bookings_vouchergrant SET {changes}")


def test_grants_beyond_the_budget_of_their_programme(cast: Cast) -> None:
    row = grant(cast, programme(cast, budget=D(2000)), "1500")
    copy = """
INSERT INTO bookings_vouchergrant
    (id, programme_id, organisation_id, code, amount, held, redeemed, valid_from, valid_until,
     granted_by_id, granted_at, version, transferred, former_codes)
SELECT gen_random_uuid(), programme_id, organisation_id, code || '-2', %s, 0, 0, valid_from,
    valid_until, granted_by_id, granted_at, 1, 0, '{}'
FROM bookings_vouchergrant"""
    refused("grant_within_budget", copy, D("500.01"))
    with connection.cursor() as cursor:
        cursor.execute(copy, [D(500)])
        cursor.execute("UPDATE bookings_vouchergrant SET amount = 1400 WHERE id = %s", [row.pk])
    assert models.VoucherGrant.objects.count() == 2


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("source_held", "held = -0.01"),
        ("source_budget", "budget = -0.01"),
        ("source_currency", "currency = 'XXX'"),
        ("source_forward", "valid_until = valid_from"),
    ],
)
def test_a_funding_source(cast: Cast, constraint: str, changes: str) -> None:
    source(cast, "F1", budget=None)
    assert models.FundingSource.objects.exists()
    refused(constraint, f"UPDATE bookings_fundingsource SET {changes}")


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("earmark_not_negative", "held = -0.01"),
        ("earmark_not_negative", "redeemed = -0.01"),
        ("earmark_one_purse", "grant_id = NULL"),
        ("earmark_one_purse", "percent = 50"),
    ],
)
def test_an_earmark(cast: Cast, constraint: str, changes: str) -> None:
    agree(cast)
    grant(cast, programme(cast), "1000")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert models.Earmark.objects.exists()
    refused(constraint, f"UPDATE bookings_earmark SET {changes}")


def test_one_cost_is_never_paid_by_two_vouchers(cast: Cast) -> None:
    agree(cast)
    of = programme(cast)
    grant(cast, of, "1000")
    other = grant(cast, of, "10", code="second")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    refused(
        "earmark_one_grant",
        "INSERT INTO bookings_earmark"
        " (id, reservation_id, grant_id, rate, held, redeemed, created_at)"
        " SELECT gen_random_uuid(), reservation_id, %s, 1, 0, 0, created_at FROM bookings_earmark",
        other.pk,
    )


@pytest.mark.parametrize(
    ("constraint", "sql"),
    [
        ("append-only", "UPDATE bookings_posting SET amount = amount + 1"),
        ("append-only", "DELETE FROM bookings_posting"),
        ("append-only", "TRUNCATE bookings_posting"),
        ("append-only", "UPDATE bookings_ledgerentry SET at = now()"),
        ("append-only", "DELETE FROM bookings_ledgerentry"),
        (
            "do not sum to zero",
            "INSERT INTO bookings_posting"
            " (entry_id, account, host_region_id, payer_region_id, currency, amount)"
            " SELECT entry_id, account, host_region_id, payer_region_id, currency, 0.01"
            " FROM bookings_posting LIMIT 1",
        ),
    ],
)
def test_the_ledger(cast: Cast, constraint: str, sql: str) -> None:
    use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert models.LedgerEntry.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    refused(constraint, sql)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("charge_sums", "payable = payable + 0.01"),
        ("charge_final_or_not", "final_at = now()"),
        ("charge_month_when_final", "state = 'final', final_at = now()"),
    ],
)
def test_a_charge(cast: Cast, constraint: str, changes: str) -> None:
    use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    refused(constraint, f"UPDATE bookings_charge SET {changes}")


def test_a_correction_is_agreed_to_by_another_person(cast: Cast) -> None:
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    correction_propose(
        By(cast.actor("zhao"), at("2026-03-07 10:00")),
        charge_id=charge.pk,
        amendment=Amendment(waive_percent=D(50)),
        reason="Half of it",
    )
    assert models.Correction.objects.exists()
    refused(
        "correction_second_person",
        "UPDATE bookings_correction SET state = 'agreed', decided_by_id = proposed_by_id, decided_at = now()",
    )
    refused("correction_second_person", "UPDATE bookings_correction SET state = 'agreed'")


def test_a_signature_has_a_person_and_a_time(cast: Cast) -> None:
    agree(cast)
    assert models.AgreementMember.objects.exists()
    refused("agreement_member_signed", "UPDATE bookings_agreementmember SET signed_by_id = NULL")


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("settlement_two_people", "first_confirmed_by_id = {xu}, second_confirmed_by_id = {xu}"),
        ("settlement_confirmed_by_both", "state = 'confirmed', first_confirmed_at = now()"),
    ],
)
def test_a_settlement_is_confirmed_by_two_people(cast: Cast, constraint: str, changes: str) -> None:
    models.Settlement.objects.create(
        first=cast.anhui, second=cast.shanghai, month=date(2026, 3, 1), currency="CNY",
        first_owes=0, second_owes=0, drawn_up_at=NOW, due_date=date(2026, 5, 1),
    )  # fmt: skip
    refused(constraint, f"UPDATE bookings_settlement SET {changes.format(xu=f"'{cast.xu.pk}'")}")


def test_currencies_the_platform_knows(cast: Cast) -> None:
    models.ExchangeRate.objects.create(
        organisation=cast.fudan, base="EUR", quote="CNY", rate=D(8), valid_on=date(2026, 3, 1),
        source="Bank", entered_by=cast.lin, entered_at=NOW,
    )  # fmt: skip
    for column in ("base", "quote"):
        refused("exchangerate_currencies", f"UPDATE bookings_exchangerate SET {column} = 'XXX'")
    assert RateCard.objects.exists()
    refused("ratecard_currency", "UPDATE instruments_ratecard SET currency = 'XXX'")
