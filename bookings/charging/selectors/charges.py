"""Read the list of charges."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, StringAgg, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, By
from accounts.selectors.rows import any_of, as_uuid
from bookings.charging.selectors.obstacles import NARROWING, obstacle_of, of_books
from bookings.charging.selectors.recoding import charges_without_source
from bookings.charging.selectors.waiting import (
    charges_to_agree,
    charges_to_answer,
    charges_to_bill,
    charges_to_check,
)
from bookings.funding.models import Earmark
from bookings.funding.selectors.funding_sources import sources_for
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import BOOKING, charges_for
from bookings.pricing.selectors.sides import INTERNAL, OTHERS, OWED, OWING, side_of
from bookings.record.domain.references import LONGEST_REFERENCE
from bookings.record.selectors.lists import (
    CHOICE,
    FLAG,
    ID,
    MONTH,
    Column,
    Filter,
    Listing,
    amount_cell,
    amount_of,
    month_cell,
)
from bookings.record.selectors.reservations import booked_by_side


def _checked(row: Charge, by: By) -> Any:
    is_ours = row.host_id in by.actor.organisations_where("manage-charges")
    return row.checked_at if is_ours else None


def not_checked(rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Return the charges of the actor's own instruments that nobody has ticked as checked."""
    return rows.filter(host__in=actor.organisations_where("manage-charges"), checked_at=None)


# By what charges are added up: the filters that narrow to a group with their fields, and its name.
GROUPS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "instrument": (
        {"instrument": F("reservation__instrument_id"), "course": F("enrolment__session__course_id")},
        Coalesce("reservation__instrument__name", "enrolment__session__course__name"),
        Coalesce("reservation__instrument__name_zh", "enrolment__session__course__name_zh"),
    ),
    "person": (
        {"person": Coalesce("reservation__user_id", "enrolment__user_id")},
        Coalesce("reservation__user__name", "enrolment__user__name"),
        Value(""),
    ),
    "payer": ({"payer": F("organisation_id")}, F("organisation__name"), F("organisation__name_zh")),
}
MOST_GROUPS = 200


@dataclass(frozen=True)
class Group:
    """Charges of an instrument or course, a person or a payer, added up in one currency and on one side."""

    query: Mapping[str, Any]
    name: str
    name_zh: str
    currency: str
    side: str
    number: int
    payable: Decimal

    def named(self, key: str) -> Any:
        """Return the id by which the group is narrowed: of an `instrument` or `course`, `person` or `payer`;
        None if it is not one of these."""
        return self.query.get(key) or None

    @property
    def address(self) -> str:
        """Return the query that lists these charges, narrowed as the list is that they were added up from."""
        asked = {**self.query, "currency": self.currency, "side": self.side or NEITHER}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"


# What an address has besides its filters.
_NO_FILTERS = ("by", "page")


def sums_by(
    rows: QuerySet[Any], of: str, actor: Actor, narrowed: Mapping[str, Any] | None = None
) -> list[Group]:
    """Add up charges by instrument or course, person or payer; each currency and side apart, the largest
    first. `narrowed`: the query by which the rows were chosen. One statement."""
    kept = {name: value for name, value in (narrowed or {}).items() if name not in _NO_FILTERS}
    narrows, name, name_zh = GROUPS[of]
    grouped = (
        rows.order_by()
        .annotate(group_side=side_of(actor, "organisation"), group_name=name, group_zh=name_zh)
        .annotate(**{f"by_{key}": field for key, field in narrows.items()})
        .values_list(*(f"by_{key}" for key in narrows), "group_name", "group_zh", "currency", "group_side")
        .annotate(number=Count("pk"), sum=Sum("payable"))
        .order_by("group_side", "currency", "-sum", "group_name")
    )
    parts = len(narrows)
    return [
        Group({**kept, **dict(zip(narrows, row, strict=False))}, *row[parts:])
        for row in grouped[:MOST_GROUPS]
    ]


def _of_side(rows: QuerySet[Any], side: str, by: By) -> QuerySet[Any]:
    narrowed: QuerySet[Any] = rows.alias(asked_side=side_of(by.actor, "organisation"))
    return narrowed.filter(asked_side=OTHERS if side == NEITHER else side)


def _of_person(rows: QuerySet[Any], text: str, by: By) -> QuerySet[Any]:
    pk = as_uuid(text)
    field, value = ("user_id", pk) if pk else ("user__email__iexact", text)
    return rows.filter(Q(**{f"reservation__{field}": value}) | Q(**{f"enrolment__{field}": value}))


def _of_party(rows: QuerySet[Any], code: str, by: By) -> QuerySet[Any]:
    return rows.filter(Q(organisation__code=code) | Q(host__code=code))


def _with_sources(rows: QuerySet[Any], by: By) -> QuerySet[Any]:
    """Add the reader's side, and the codes of the sources that pay for the booking or the place in a course,
    of those that the reader sees: hosts see none of their guests'."""
    codes = StringAgg("source__code", Value("; "), order_by="source__code")

    def codes_of(subject: str) -> Subquery:
        rows = Earmark.objects.filter(
            **{subject: OuterRef(subject)},
            percent__gt=0,
            source__in=sources_for(by.actor).order_by().values("pk"),
        )
        return Subquery(rows.order_by().values(subject).annotate(codes=codes).values("codes"))

    found: QuerySet[Any] = rows.select_related("reservation__user", "enrolment__user").annotate(
        side=side_of(by.actor, "organisation"),
        sources=Coalesce(
            codes_of("reservation_id"), codes_of("enrolment_id"), Value(""), output_field=TextField()
        ),
    )
    return found


def load_sources(rows: QuerySet[Charge], by: By) -> dict[UUID, str]:
    """Return the codes of the sources that pay for charges, of those that the reader sees. One statement."""
    found = _with_sources(rows, by).select_related(None).order_by().exclude(sources="")
    return dict(found.values_list("pk", "sources"))


# Part of an id, as it is printed on statements and in addresses; less would be found in many by chance.
_PART_OF_ID = re.compile(r"[0-9a-fA-F-]{6,36}")


def _finds(rows: QuerySet[Any], text: str, by: By) -> Q:
    """Return the condition that a text is part of the id of a charge or its booking, or what areas above find
    by it."""
    ids = ("booking", "charge") if _PART_OF_ID.fullmatch(text) else ()
    of_ids = [Q(**{f"{name}__icontains": text}) for name in ids]
    return any_of([Q(pk=None), *of_ids, *(finds(rows, text, by) for finds in finders)])


# Functions of areas above by which charges are found for a text, each with the rows that are searched.
finders: list[Callable[[QuerySet[Any], str, By], Q]] = []
NEITHER = "neither"  # the side of charges between others, as an address names it
SIDES = (
    (OWED, _("we earn")),
    (OWING, _("we owe")),
    (INTERNAL, _("internal")),
    (NEITHER, _("between others")),
)
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
        Column("booking", "reservation_id"),
        # A course has no booking: its name stands in place of the instrument's.
        Column("instrument", "thing.name"),
        Column("start", "start_at"),
        Column("person", "person.name"),
        Column("source", "sources"),
        Column("payer", "organisation.code", _("Payer")),
        Column("payer_name", "organisation.name"),
        Column("host", "host.code"),
        Column("host_name", "host.name"),
        Column("currency", "currency"),
        Column("net", lambda row, by: amount_cell(row.total - row.tax, row.currency)),
        Column("tax", amount_of("tax")),
        Column("total", amount_of("total"), _("Total"), "total", kind="end"),
        Column("voucher", amount_of("covered"), _("Voucher"), "covered", kind="end"),
        Column("payable", amount_of("payable"), _("Payable"), "payable", kind="end"),
        Column("side", "side"),
        Column("checked", _checked),
    ),
    waits={
        "answer": charges_to_answer,
        "agree": charges_to_agree,
        "check": charges_to_check,
        "bill": charges_to_bill,
        "source": charges_without_source,
    },
    waits_help="Only charges that need you: to answer for the host, to agree to, to dispute, to bill, or to "
    "name a funding source for.",
    words=(
        "reservation__instrument__name", "reservation__instrument__name_zh", "organisation__name",
        "organisation__name_zh", "organisation__code", "host__name", "host__name_zh", "host__code",
        "reservation__user__name",
        "enrolment__session__course__name", "enrolment__session__course__name_zh", "enrolment__user__name",
    ),
    amounts=("payable", "total", "net_amount"),
    finds=_finds,
    aliases={
        "booking": BOOKING, "charge": Cast(F("pk"), TextField()), "net_amount": F("total") - F("tax"),
    },
    q_help="Part of the id of the charge or booking, of the number of its statement, or of the name of the "
    "person, instrument, course, payer or host; or an amount.",
    day="created_at",
    filters=(
        Filter("organisation", "organisation__code", help="Code of the paying organisation."),
        Filter("host", "host__code", help="Code of the host organisation."),
        Filter("party", _of_party, help="Code of the payer or the host."),
        Filter("payer", "organisation_id", ID, help="Id of the paying organisation."),
        Filter("reservation", "reservation_id", ID),
        Filter("instrument", "reservation__instrument_id", ID),
        Filter("course", "enrolment__session__course_id", ID),
        Filter("person", _of_person, help="Id or e-mail address of the person.", most=254),
        Filter(
            "side", _of_side, CHOICE, choices=SIDES,
            help="On which side your organisations are: `owed` is earned, `owing` is to be paid, "
            "`internal` is recharged to the host itself, `neither` is between others.",
        ),
        Filter("currency", "currency", help="Code of the currency, such as `CNY`.", most=3),
        Filter(
            "unchecked", lambda rows, value, by: not_checked(rows, by.actor), FLAG,
            help="Only charges of your instruments that the host has not ticked as checked.",
        ),
        Filter("enrolment", "enrolment_id", ID),
        Filter(
            "books", of_books, most=60,
            help="Charges that the journal of a month counts: code of the organisation, `host` or `payer`, "
            "and the month, such as `ustc:host:2026-03`.",
        ),
        Filter(
            "obstacle", lambda rows, code, by: rows.filter(obstacle_of(code)), CHOICE, choices=NARROWING,
            help="What is still to be done before, or after, the month is closed.",
        ),
        Filter(
            "reference",
            lambda rows, text, by: rows.filter(
                booked_by_side(by.actor, "reservation__"), reservation__reference=text
            ),
            help="Charges for bookings of your side with this reference of your own.",
            most=LONGEST_REFERENCE,
        ),
        Filter("state", "state", CHOICE, choices=Charge.State.choices),
        Filter("month", "month", MONTH, help="Month of final charges, such as `2026-03`."),
    ),
    for_files=_with_sources,
    copied=Q(),
    only=(
        "kind", "state", "created_at", "checked_at", "host", "final_at", "month",
        "currency", "tax", "total", "covered", "payable", "grant", "reservation__start_at",
        "reservation__instrument__name",
        "reservation__user__name",
        "enrolment__session__start_at", "enrolment__session__course__name", "enrolment__user__name",
        "organisation__code", "organisation__name", "host__code", "host__name",
    ),
)  # fmt: skip
