"""Messages about courses: places, sessions, what they cost, and certificates that run out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from bookings.catalogue.selectors.training import bookings_after
from bookings.pricing.models import Charge
from instruments.reading.domain.clock import local_date
from instruments.training.models import Enrolment, Qualification
from instruments.training.selectors.qualifications import zone_of
from instruments.training.selectors.training import SESSION_WITH, is_followed, load_renewal

TEMPLATE = "bookings/usage/mail/training"
# Messages that say what the place will cost.
WITH_PRICE = ("training.enrolled", "training.waiting", "training.moved-up")
_enrolment = row_of(
    Enrolment.objects.select_related(
        "user", "qualification", "organisation", *(f"session__{name}" for name in SESSION_WITH)
    ),
    "enrolment",
)
_running_out = row_of(
    Qualification.objects.select_related(
        "user", "issuer__region", "instrument__facility", "technique"
    ).filter(revoked_at=None, valid_until__isnull=False),
    "qualification",
)


def _load_enrolment(row: OutboxMessage, now: datetime) -> Enrolment | None:
    """Return the place in a course; None if its session was cancelled, unless the message is to say so."""
    enrolment: Enrolment | None = _enrolment(row, now)
    if enrolment is None or row.kind == "training.cancelled":
        return enrolment
    return enrolment if enrolment.session.cancelled_at is None else None


def _of_enrolment(enrolment: Enrolment, row: OutboxMessage, now: datetime) -> Content:
    session = enrolment.session
    course = session.course
    return Content(
        course.pk,
        reverse("instruments:course", args=[course.pk]),
        {
            "course": course,
            "thing": course.instrument or course.technique,
            "organisation": enrolment.organisation,
        },
        {
            "session": session,
            "reason": session.reason if row.kind == "training.cancelled" else row.payload.get("reason", ""),
            "qualification": enrolment.qualification,
            "place": enrolment if row.kind in WITH_PRICE and enrolment.payable else None,
        },
        zone=session.facility.time_zone,
        matters_until=session.start_at,
        days=[session.start_at],
    )


@dataclass(frozen=True)
class ChargedPlace:
    """A place in a course that was charged; `enrolment` is loaded with its session."""

    enrolment: Enrolment
    charge: Charge


def _load_charged(row: OutboxMessage, now: datetime) -> ChargedPlace | None:
    enrolment = _enrolment(row, now)
    charges = Charge.objects.select_related("organisation", "host")
    return ChargedPlace(enrolment, charges.get(pk=row.payload["charge"])) if enrolment else None


def _attendant(charged: ChargedPlace) -> list[User]:
    return [charged.enrolment.user]


def _host_people(charged: ChargedPlace) -> list[User]:
    """Return everybody who may answer a dispute for the host."""
    return [person for role in ("manager", "finance") for person in holders_of(role, charged.charge.host_id)]


def _disputing(charged: ChargedPlace) -> Iterable[User]:
    """Return the person who attended, and whoever opened the dispute."""
    return [charged.enrolment.user, *(dispute.opened_by for dispute in charged.charge.disputes.all())]


def _payer_people(charged: ChargedPlace) -> list[User]:
    """Return the payer's managers and finance, who agree to a proposed correction, without its proposer."""
    charge = charged.charge
    proposers = set(charge.corrections.filter(state="proposed").values_list("proposed_by_id", flat=True))
    people = [one for role in ("manager", "finance") for one in holders_of(role, charge.organisation_id)]
    return [person for person in people if person.pk not in proposers]


def _of_charge(charged: ChargedPlace, row: OutboxMessage, now: datetime) -> Content:
    charge, session = charged.charge, charged.enrolment.session
    return Content(
        charge.pk,
        reverse("bookings:money-charges-one", args=[charge.pk]),
        {"course": session.course, "organisation": charge.organisation},
        {
            "session": session,
            "charge": charge,
            "owed": Decimal(0) if charge.state == Charge.State.REVERSED else charge.payable,
        },
        zone=session.facility.time_zone,
        days=[session.start_at],
    )


def _load_expiring(row: OutboxMessage, now: datetime) -> Qualification | None:
    """Return the certificate that a message is about; None if another follows it or it has expired."""
    held: Qualification | None = _running_out(row, now)
    if held is None or held.valid_until is None or is_followed(held):
        return None
    return held if held.valid_until >= local_date(zone_of(held), now) else None


def _expiring(held: Qualification, row: OutboxMessage, now: datetime) -> Content:
    return Content(
        held.pk,
        reverse("instruments:training"),
        {"thing": held.instrument or held.technique, "until": held.valid_until},
        {"offers": load_renewal(held, now), "bookings": bookings_after(held, now)},
        days=[held.valid_until] if held.valid_until else [],
    )


def _person(held: Enrolment | Qualification) -> list[User]:
    return [held.user]


_place = partial(
    Kind, topic="training", load=_load_enrolment, readers=_person, content=_of_enrolment, template=TEMPLATE
)
_charge = partial(
    Kind, topic="charge", load=_load_charged, readers=_attendant, content=_of_charge, template=TEMPLATE
)
KINDS = table(
    _place(
        "training.enrolled",
        _("You have a place: {course}"),
        _("You have a place in this session."),
        is_still_true=in_state("enrolled"),
    ),
    _place(
        "training.waiting",
        _("On the waiting list: {course}"),
        _("All places are taken. You will be notified as soon as you have one."),
        is_still_true=in_state("waiting"),
    ),
    _place(
        "training.moved-up",
        _("You have a place now: {course}"),
        _("Somebody cancelled, and you were next in line: the place is yours."),
        is_still_true=in_state("enrolled"),
    ),
    _place(
        "training.withdrawn",
        _("Your place was cancelled: {course}"),
        _("The organisation that gives the course has removed you from the list of this session."),
    ),
    _place(
        "training.payer-left",
        _("Your place was cancelled: {course}"),
        _(
            "{organisation} was to pay for this place, and you are no longer a member there. At the cost of "
            "another organisation of yours you can book a place again."
        ),
        is_still_true=in_state("withdrawn"),
    ),
    _place(
        "training.changed",
        _("New time or place: {course}"),
        _("This session now takes place at the time and place below."),
    ),
    _charge(
        "training.charged",
        _("Charged: {course}"),
        _(
            "The course was charged to {organisation}. If something is wrong with it, dispute it within seven"
            " days."
        ),
    ),
    _charge(
        "training.disputed",
        _("Disputed: {course}"),
        _("{organisation} disputes a charge. It does not become final before you have answered."),
        readers=_host_people,
    ),
    _charge(
        "training.dispute-settled",
        _("Dispute answered: {course}"),
        _("The organisation that gives the course upholds the disputed charge, which is now final."),
        readers=_disputing,
    ),
    _charge(
        "training.correction-proposed",
        _("Correction to agree to: {course}"),
        _(
            "The organisation that gives the course proposes to correct a charge that {organisation} pays, "
            "and has nobody else who may agree to it. Please agree to it or refuse it."
        ),
        readers=_payer_people,
    ),
    _charge(
        "training.corrected",
        _("Corrected: {course}"),
        _("A charge was corrected: it was reversed, and the amount now owed is shown below."),
    ),
    _place("training.cancelled", _("Cancelled: {course}"), _("This session will not take place.")),
    _place(
        "training.passed",
        _("Passed: {course}"),
        _("You have passed, and are certified for {thing} from now on."),
        is_still_true=in_state("passed"),
    ),
    _place(
        "training.undone",
        _("Result corrected: {course}"),
        _("Your result was recorded as passed by mistake. The certificate for {thing} has been revoked."),
        is_still_true=in_state("failed", "absent"),
    ),
    Kind(
        "training.expiring",
        _("Your certificate is about to expire: {thing}"),
        _("Your certificate for {thing} is valid to the end of {until}."),
        "expiry",
        load=_load_expiring,
        readers=_person,
        content=_expiring,
        template=TEMPLATE,
    ),
)
