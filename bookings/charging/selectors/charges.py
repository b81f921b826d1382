"""Read the list of charges."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import By
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import BOOKING, charges_for
from bookings.pricing.selectors.sides import side_of
from bookings.record.selectors.lists import CHOICE, ID, MONTH, Column, Filter, Listing, amount_of, month_cell


def _of_party(rows: QuerySet[Any], code: str, by: By) -> QuerySet[Any]:
    return rows.filter(Q(organisation__code=code) | Q(host__code=code))


CHARGES = Listing(
    "charges",
    charges_for,
    (
        Column("charge", "pk"),
        Column("kind", "kind"),
        Column("state", "state", _("State"), "state"),
        Column("made", "created_at", _("Charge"), "created_at"),
        Column("final", "final_at"),
        Column("month", month_cell),
        Column("booking", "reservation.pk"),
        Column("instrument", "reservation.instrument.name"),
        Column("start", "reservation.start_at"),
        Column("person", "reservation.user.name"),
        Column("payer", "reservation.organisation.code", _("Payer")),
        Column("payer_name", "reservation.organisation.name"),
        Column("host", "reservation.host.code"),
        Column("host_name", "reservation.host.name"),
        Column("currency", "currency"),
        Column("tax", amount_of("tax")),
        Column("total", amount_of("total"), _("Total"), "total", kind="end"),
        Column("voucher", amount_of("covered"), _("Voucher"), "covered", kind="end"),
        Column("payable", amount_of("payable"), _("Payable"), "payable", kind="end"),
        Column("side", "side"),
    ),
    waits={
        "answer": charges_to_answer,
        "agree": charges_to_agree,
        "check": charges_to_check,
        "bill": charges_to_bill,
    },
    waits_help="Only charges that need you: to answer for the host, to agree to, to dispute or to "
"bill.",
    words=(
        "reservation__instrument__name", "reservation__instrument__name_zh", "organisation__name",
        "organisation__name_zh", "host__name", "host__name_zh", "reservation__user__name", "booking",
    ),
    aliases={"booking": BOOKING},
    q_help="Part of the booking's id, or of the name of the person, instrument, payer or host.",
    day="created_at",
    filters=(
        Filter("organisation", "organisation__code", help="Code of the paying organisation."),
        Filter("host", "host__code", help="Code of the host organisation."),
        Filter("party", _of_party, help="Code of the payer or the host."),
        Filter("reservation", "reservation_id", ID),
        Filter("state", "state", CHOICE, choices=Charge.State.choices),
        Filter("month", "month", MONTH, help="Month of final charges, such as `2026-03`."),
    ),
    for_files=lambda rows, by: rows.select_related("reservation__user").annotate(
        side=side_of(by.actor, "organisation")
    ),
    only=(
        "kind", "state", "created_at", "final_at", "month", "currency", "tax", "total", "covered",
        "payable", "grant", "reservation__start_at", "reservation__instrument__name",
        "reservation__user__name",
        "reservation__organisation__code", "reservation__organisation__name",
        "reservation__host__code", "reservation__host__name",
    ),
)  # fmt: skip
