"""The world of the benchmarks, with money, in the small: what the platform checks holds there."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Count, Q, Sum

from accounts.models import RoleGrant, TrailEntry
from accounts.selectors.verification import trail_verify
from bookings import models
from bookings.charging.selectors.replay import replay_all
from tests.benchmarks.money import Amounts, add_money
from tests.benchmarks.volume import build

NOW = datetime(2026, 11, 28, 5, tzinfo=UTC)  # of the world, on any day
AMOUNTS = Amounts(charges=900, coming=600, longest=8, entries=500)


def _nothing(text: str) -> None:
    pass


@pytest.mark.django_db(transaction=True)
def test_a_world_with_money_holds_together() -> None:
    build(60, 9_000, now=NOW, say=_nothing, with_use=True)
    add_money(AMOUNTS, now=NOW, say=_nothing)

    originals = models.Charge.objects.filter(kind__in=models.Charge.ORIGINAL).filter(made_by_correction=None)
    kinds = dict(originals.values_list("kind").annotate(Count("pk")))
    assert set(kinds) == {"use", "cancellation", "no_show"}
    states = dict(models.Charge.objects.values_list("state").annotate(Count("pk")))
    assert set(states) == {"open", "disputed", "final", "reversed"}
    assert states["reversed"] == models.Charge.objects.filter(kind="reversal").count()
    finance, manager = (
        RoleGrant.objects.get(role=role, user__email=f"{role}@bench.example").organisation_id
        for role in ("finance", "manager")
    )
    assert originals.filter(organisation=finance).count() == pytest.approx(originals.count() / 2, rel=0.1)
    assert models.Reservation.objects.filter(state="requested", host=manager).exists()

    # Every quote and charge follows from its inputs, and the books from the charges.
    assert models.Quote.objects.count() > 900
    assert [row for row in replay_all() if row.differences != []] == []
    entries = models.LedgerEntry.objects.count()
    assert entries == models.Charge.objects.exclude(total=0).count() + models.Payment.objects.count()
    call_command("check_statements", verbosity=0)
    longest = models.Statement.objects.filter(host=manager, payer=finance).order_by("-charges")[0]
    assert longest.charges >= AMOUNTS.longest
    assert longest.lines.count() == longest.charges
    sums = longest.lines.aggregate(Sum("charge__total"))
    assert sums["charge__total__sum"] == longest.total
    assert models.Settlement.objects.exists()
    assert set(models.Statement.objects.values_list("state", flat=True)) == {"issued", "part_paid", "paid"}

    held = models.Earmark.objects.aggregate(
        source=Sum("held", filter=Q(source__isnull=False)),
        grant=Sum("redeemed", filter=Q(grant__isnull=False)),
    )
    assert held["source"] == models.FundingSource.objects.aggregate(Sum("held"))["held__sum"] > 0
    redeemed: Decimal = models.VoucherGrant.objects.aggregate(Sum("redeemed"))["redeemed__sum"]
    assert held["grant"] == redeemed > 0

    verified = trail_verify(processes=1)
    # The register gives roles without acts; ids are of the day on which this runs.
    assert {problem.code for problem in verified.problems} <= {"role", "misdated"}
    assert verified.entries == TrailEntry.objects.count()
