"""One of each thing about money, for tests that try every address."""

from datetime import date
from decimal import Decimal

from accounts.domain.roles import By
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.models import Settlement, Statement
from bookings.settlement.services.exchange_rates import RateTerms, rate_enter
from bookings.settlement.services.payment_notices import payment_notice_report
from bookings.settlement.services.payments import Paid
from bookings.settlement.services.settlements import settlement_confirm
from bookings.settlement.services.statements import statements_draw
from bookings.usage.services.usage import usage_settle
from tests.factories.agreements import grant, programme, propose
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.funding import source
from tests.factories.money import charge_of, store


def money_things(cast: Cast) -> dict[str, str]:
    """The ids of one of each, by name."""
    charged = _charged(cast)
    vouchers = programme(cast)
    return {
        **charged,
        "agreement": str(propose(cast).pk),
        "programme": str(vouchers.pk),
        "grant": str(grant(cast, vouchers).pk),
        "source": str(source(cast).pk),
        **_books(cast),
    }


def _charged(cast: Cast) -> dict[str, str]:
    """Charges of Wang Li's: one open, one disputed, one with a correction that Gao Lei proposed;
    and a booking that is charged by use, which nobody recorded."""
    watched = cast.instrument(name="Charged")
    by_use = cast.instrument(name="By use", card=BY_USE, policy={"check_in_minutes": None})
    charge, disputed, corrected = (
        use(cast, f"2026-03-0{day} 10:00", f"2026-03-0{day} 12:00", instrument=watched) for day in (2, 3, 4)
    )
    dispute_open(By(cast.actor("wang"), NOW), charge_id=disputed.pk, reason="test")
    correction = correction_propose(
        By(cast.actor("gao"), NOW),
        charge_id=corrected.pk,
        amendment=Amendment(waive_percent=Decimal(50)),
        reason="test",
    )
    unrecorded = reserve(
        cast, "2026-03-04 14:00", "2026-03-04 15:00", instrument=by_use, now=at("2026-03-03 10:00")
    )
    usage_settle(now=NOW)
    return {
        "charge": str(charge.pk),
        "disputed": str(disputed.pk),
        "correction": str(correction.pk),
        "unrecorded": str(unrecorded.pk),
    }


def _books(cast: Cast) -> dict[str, str]:
    """A statement and a settlement of February, a settlement of January that both have
    confirmed, and a rate."""
    months = [date(2026, 1, 1), date(2026, 2, 1)]
    store([charge_of(cast, month=month, covered="20.00") for month in months])
    statements_draw(month=months[1], now=NOW)
    january, february = Settlement.objects.order_by("month")
    for who in ("coordinator", "xu"):
        settlement_confirm(By(cast.actor(who), NOW), settlement_id=january.pk)
    terms = RateTerms("CNY", "EUR", Decimal("0.13"), months[1], "A bank")
    rate = rate_enter(By(cast.actor("lin"), NOW), organisation=cast.fudan, terms=terms)
    statement = Statement.objects.get(month=months[1])
    paid = Paid(Decimal("0.25"), months[1], "T 1")
    notice = payment_notice_report(By(cast.actor("lin"), NOW), statement_id=statement.pk, paid=paid)
    return {
        "statement": str(statement.pk),
        "notice": str(notice.pk),
        "settlement": str(february.pk),
        "confirmed-settlement": str(january.pk),
        "rate": str(rate.pk),
    }
