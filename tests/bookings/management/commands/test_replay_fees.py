"""`replay_fees` over what bookings, uses and cancellations have left in the database."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.domain.roles import By
from bookings.charging.services.charges import charge_make
from bookings.models import Charge, Quote
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from tests.factories.cast import at, reserve


@pytest.fixture
def past(cast):
    """One used beyond its end, one cancelled late, one missed, one moved and shortened late."""
    used = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang = cast.actor("wang")
    cancelled = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", who="hu")
    missed = reserve(cast, "2026-03-09 14:00", "2026-03-09 16:00", who="sun")
    shortened = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    reservation_cancel(By(cast.actor("hu"), at("2026-03-05 15:00")), reservation_id=cancelled.pk, reason="")
    reservation_move(
        By(wang, at("2026-03-09 07:00")),
        reservation_id=shortened.pk,
        period=Period(at("2026-03-09 10:00"), at("2026-03-09 11:00")),
    )
    reservation_cancel(By(wang, at("2026-03-09 08:00")), reservation_id=shortened.pk, reason="")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=used.pk)
    reservation_check_out(By(wang, at("2026-03-06 12:30")), reservation_id=used.pk)
    usage_settle(now=at("2026-03-10 00:00"))
    made = [
        charge_make(reservation_id=each.pk, now=at("2026-03-10 00:00"))
        for each in (used, cancelled, missed, shortened)
    ]
    return [charge for charge in made if charge is not None]


def replayed(**options):
    out = StringIO()
    try:
        call_command("replay_fees", stdout=out, **options)
    except CommandError as failure:
        return out.getvalue(), str(failure)
    return out.getvalue(), None


def test_nothing_differs(past):
    kinds = {charge.kind for charge in past}
    assert {"use", "cancellation"} <= kinds
    said, failure = replayed()
    assert failure is None
    assert f"{Quote.objects.count()} quotes and {len(past)} charges" in said
    assert "All agree to the cent." in said


def test_a_tampered_charge_is_named(past):
    charge = past[0]
    Charge.objects.filter(pk=charge.pk).update(result=charge.result | {"total": "1.00"})
    said, failure = replayed()
    assert f"charge {charge.pk} result.total: stored 1.00, recomputed 657.20" in said
    assert failure == "1 fields differ in 1 of them."
    assert "agree" not in said


def test_a_tampered_column_and_a_tampered_quote_are_named(past):
    charge = past[1]
    Charge.objects.filter(pk=charge.pk).update(tax=charge.tax + 1)
    quote = Quote.objects.filter(reservation=charge.reservation_id).get(is_current=True)
    lines = [quote.result["lines"][0] | {"multiplier": "0.9"}, *quote.result["lines"][1:]]
    Quote.objects.filter(pk=quote.pk).update(result=quote.result | {"lines": lines})
    said, failure = replayed()
    assert f"charge {charge.pk} tax: stored {charge.tax + 1:.2f}" in said
    assert f"quote {quote.pk} result.lines[0].multiplier: stored 0.9, recomputed 1\n" in said
    assert failure == "2 fields differ in 2 of them."


def test_inputs_that_were_tampered_with_are_named(past):
    charge = next(each for each in past if each.kind == "use")
    card = charge.inputs["card"]
    rates = dict.fromkeys(card["rates"], "1.00")
    Charge.objects.filter(pk=charge.pk).update(inputs=charge.inputs | {"card": card | {"rates": rates}})
    said, failure = replayed()
    assert f"charge {charge.pk} total: stored 657.20" in said
    assert failure is not None


def test_narrowed_to_a_charge_a_day_or_an_instrument(cast, past):
    Charge.objects.filter(pk=past[0].pk).update(result=past[0].result | {"total": "1.00"})
    assert "0 quotes and 1 charges" in replayed(charge=str(past[1].pk))[0]
    assert replayed(charge=str(past[1].pk))[1] is None
    assert replayed(charge=str(past[0].pk))[1] == "1 fields differ in 1 of them."
    assert "0 quotes and 0 charges" in replayed(since="2026-03-11")[0]
    assert replayed(since="2026-03-09")[1] is not None
    other = cast.instrument(name="Other")
    assert "0 quotes and 0 charges" in replayed(instrument=str(other.pk))[0]
    assert replayed(instrument=str(cast.microscope.pk))[1] is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"since": "20260301"}, "--since must be a date like 2026-01-31"),
        ({"instrument": "tem"}, "--instrument must be an id"),
        ({"charge": "0"}, "--charge must be an id"),
        ({"charge": "01920000-0000-7000-8000-000000000000"}, "There is no charge"),
    ],
)
def test_options_that_are_none(db, options, said):
    assert said in replayed(**options)[1]


def test_statements_do_not_grow_with_rows(past, django_assert_num_queries):
    # quotes; charges
    with django_assert_num_queries(2):
        replayed()
