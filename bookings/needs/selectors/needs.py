"""Needs, as far as each person may see them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import User
from accounts.selectors.rows import visible
from bookings.needs.domain import needs as rules
from bookings.needs.models import BatchPlace, Need
from bookings.record.domain.money import format_number
from bookings.record.domain.references import LONGEST_REFERENCE
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, TEXT, Column, Filter, Listing
from instruments.vocabulary.domain.needs import NeedTerm
from instruments.vocabulary.domain.parameters import Requirement
from instruments.vocabulary.selectors.needs import load_vocabulary


def needs_for(actor: Actor) -> QuerySet[Need]:
    """Return the actor's needs, those of organisations they manage, and those of which they are named
    readers; the newest first."""
    return _all().filter(Q(pk__in=_kept_by(actor).values("pk")) | read_by(actor.user_id))


def read_by(user_id: UUID | None, need: str = "") -> Q:
    """Return a condition for needs of which a person is a named reader, by id or by a mail address that they
    have verified. `need`: the path to the need in the query, ending in `__`."""
    through = Need.readers.through.objects.filter(user=user_id).values("need")
    theirs = EmailAddress.objects.filter(user=user_id, verified=True)
    addresses = theirs.values_list(Lower("email"))
    return Q(**{f"{need}pk__in": through}) | Q(**{f"{need}reader_addresses__overlap": addresses})


def readers_of(need: Need) -> list[User]:
    """Return the named readers of a need who have an account."""
    verified = EmailAddress.objects.annotate(address=Lower("email")).filter(
        verified=True, address__in=need.reader_addresses
    )
    by_mail = User.objects.filter(pk__in=verified.values("user"), is_active=True)
    return list({user.pk: user for user in (*need.readers.all(), *by_mail)}.values())


def need_by_id(actor: Actor, need_id: UUID) -> Need:
    """Return a need that the actor may read; raise `NotFound` otherwise."""
    return visible(needs_for(actor), pk=need_id)


def need_to_match(actor: Actor, need_id: UUID) -> Need:
    """Return a need that the actor may read, as `need_by_id` does, without what has come of it. Raise
    `NotFound` otherwise."""
    rows = Need.objects.select_related("organisation__region").prefetch_related("regions")
    return visible(rows.filter(Q(pk__in=_kept_by(actor).values("pk")) | read_by(actor.user_id)), pk=need_id)


def need_to_share(actor: Actor, need_id: UUID) -> Need:
    """Return a need whose readers the actor may name: their own, or one of an organisation that they manage.
    Raise `NotFound` otherwise."""
    return visible(_all().filter(pk__in=_kept_by(actor).values("pk")), pk=need_id)


def own_need(actor: Actor, need_id: UUID) -> Need:
    """Return a need of the actor's own; raise `NotFound` if there is none."""
    return visible(_all().filter(user_id=actor.person), pk=need_id)


def needs_under_review(actor: Actor) -> QuerySet[Need]:
    """Return needs that the actor may open with a reason: of the regions they audit, and for administrators
    all."""
    if actor.has("administrator"):
        return _all()
    return _all().filter(organisation__region__lineage__overlap=list(actor.regions_where("audit")))


def outcome_of(need: Need) -> rules.Outcome:
    """Return the outcome of a need so far, as the rules take it. The need must be loaded by one of these
    selectors. No statement."""
    loaded: Any = need
    return rules.Outcome(
        is_withdrawn=need.state == Need.State.WITHDRAWN,
        latest=need.latest,
        booking=loaded.booking,
        asked_until=loaded.asked_until,
        bids_until=loaded.bids_until,
        kept_until=loaded.kept_until,
    )


def shown_need(need: Need, now: datetime) -> Need:
    """Return a need with its terms and the state that it has at a moment. No statement once the vocabulary is
    known."""
    need.chosen = load_chosen(need.terms)  # type: ignore[attr-defined]
    need.shown_state = rules.need_state(outcome_of(need), now)  # type: ignore[attr-defined]
    need.shown_label = Need.Shown(need.shown_state).label  # type: ignore[attr-defined]
    return need


def needs_in(rows: QuerySet[Need], state: str, now: datetime) -> QuerySet[Need]:
    """Return the needs that have a state at a moment, as `rules.need_state` says."""
    is_offered = Q(kept_until__gt=now) | Q(asked_until__gt=now, bids_until__gt=now)
    present = Case(
        When(booking="completed", then=Value(rules.DONE)),
        When(~Q(booking=""), then=Value(rules.BOOKED)),
        When(state=Need.State.WITHDRAWN, then=Value(rules.WITHDRAWN)),
        When(is_offered, then=Value(rules.OFFERED)),
        When(asked_until__gt=now, then=Value(rules.ASKED)),
        When(latest__gt=now, then=Value(rules.OPEN)),
        default=Value(rules.OVER),
    )
    return rows.alias(present=present).filter(present=state)


def searching(person: UUID, now: datetime) -> QuerySet[Need]:
    """Return a person's needs for which instruments are still looked for."""
    mine = _all().filter(user_id=person, state=Need.State.OPEN, latest__gt=now)
    return mine.filter(Q(booking=""))


def load_chosen(codes: list[str]) -> list[NeedTerm]:
    """Return measurands and techniques by code, in this order; those that no longer exist are left out. No
    statement once the vocabulary is known."""
    vocabulary = load_vocabulary()
    measurands = {row.code: row for row in vocabulary.measurands}
    chosen = []
    for code in codes:
        if row := measurands.get(code):
            chosen.append(NeedTerm(row.code, row.name, row.name_zh, row.techniques, unit=row.unit))
        elif term := vocabulary.terms.get(code):
            chosen.append(NeedTerm(code, term.name, term.name_zh, (code,), is_named=True))
    return chosen


def load_requirements(need: Need) -> tuple[Requirement, ...]:
    """Return the requirements of a need. No statement."""

    def side(kept: Mapping[str, str | None], name: str) -> Decimal | None:
        value = kept.get(name)
        return None if value is None else Decimal(value)

    return tuple(
        Requirement(str(kept["parameter"]), side(kept, "low"), side(kept, "high"))
        for kept in need.requirements
    )


def written(requirement: Requirement) -> dict[str, str | None]:
    """Return a requirement in the form in which it is stored and given out."""

    def side(value: Decimal | None) -> str | None:
        return None if value is None else format_number(value)

    return {"parameter": requirement.parameter, "low": side(requirement.low), "high": side(requirement.high)}


def keeps(actor: Actor, need: Need) -> bool:
    """Say whether a need is the actor's own or of an organisation that they manage; its other readers do not
    see what was noted at it."""
    managed = actor.organisations_where("book-for-members")
    return actor.user_id is not None and (actor.user_id == need.user_id or need.organisation_id in managed)


def _kept_by(actor: Actor) -> QuerySet[Need]:
    managed = actor.organisations_where("book-for-members")
    return Need.objects.filter(Q(user=actor.user_id) | Q(organisation_id__in=managed))


def _all() -> QuerySet[Need]:
    """Return all needs, with the columns from which `outcome_of` tells what has come of each."""
    this = Need.objects.order_by().filter(pk=OuterRef("pk"))
    awarded = this.filter(
        enquiries__state__in=["awarded", "fulfilled"], enquiries__reservation__state__in=_STANDS
    )
    asked = this.filter(enquiries__state__in=_LIVE)
    bids = this.filter(
        enquiries__state__in=_LIVE,
        enquiries__bids__state__in=["made", "amended"],
        enquiries__bids__slots__reservation__state=Reservation.State.HELD,
    )
    places = BatchPlace.objects.filter(need=OuterRef("pk"))
    accepted = places.filter(state=BatchPlace.State.ACCEPTED, reservation__state__in=_STANDS)
    offered = places.filter(state=BatchPlace.State.OFFERED, reservation__state=Reservation.State.HELD)
    return (
        Need.objects.select_related("user", "organisation__region")
        .prefetch_related("regions", "readers")
        .annotate(
            booking=Coalesce(
                Subquery(awarded.values("enquiries__reservation__state")[:1]),
                Subquery(accepted.values("reservation__state")[:1]),
                Subquery(booked_for().values("state")[:1]),
                Value(""),
            ),
            asked_until=Subquery(asked.values("enquiries__closes_at")[:1]),
            bids_until=Subquery(bids.order_by(f"-{_HELD_UNTIL}").values(_HELD_UNTIL)[:1]),
            kept_until=Subquery(offered.values("reservation__deadline_at")[:1]),
        )
        .order_by("-created_at", "-id")
    )


def booked_for() -> QuerySet[Reservation]:
    """Return bookings that a need's own person made for it and that stand, within a query of needs."""
    return Reservation.objects.filter(user_id=OuterRef("user_id"), for_need=OuterRef("pk"), state__in=_STANDS)


_HELD_UNTIL = "enquiries__bids__slots__reservation__deadline_at"
_LIVE = ("open", "answered")  # states of an enquiry that hosts can answer
_STANDS = sorted(set(Reservation.State.values) - rules.FELL_THROUGH)


NEEDS = Listing(
    "needs",
    needs_for,
    (
        Column("need", "pk"),
        Column("text", "text", _("Need")),
        Column("terms", lambda row, by: ", ".join(row.terms)),
        Column("person", "user", _("Person"), "user__name"),
        Column("payer", "organisation.code"),
        Column("earliest", "earliest", _("When"), "earliest"),
        Column("latest", "latest"),
        Column("minutes", "minutes"),
        Column("budget", "budget"),
        Column("currency", "currency"),
        Column("state", lambda row, by: rules.need_state(outcome_of(row), by.now), _("State")),
        Column("made", "created_at", sort="created_at"),
        Column("reference", lambda row, by: row.reference if keeps(by.actor, row) else ""),
    ),
    words=("text", "user__name", "organisation__name", "organisation__name_zh"),
    q_help="Part of the need's text, or of the name of its person or organisation.",
    day="created_at",
    filters=(
        Filter(
            "state",
            lambda rows, state, by: needs_in(rows, state, by.now),
            CHOICE,
            _("State"),
            choices=Need.Shown.choices,
        ),
        Filter(
            "reference",
            lambda rows, text, by: rows.filter(pk__in=_kept_by(by.actor).values("pk"), reference=text),
            TEXT,
            _("Reference"),
            help="Needs of your side with this reference of your own.",
            most=LONGEST_REFERENCE,
        ),
    ),
    copied=Q(),
)
