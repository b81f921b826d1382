"""Messages to people about bookings: who is told, in which words, in whose time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.adapters import calendars
from accounts.letters import Letter, framed
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from accounts.selectors.messages import readers_of
from bookings.catalogue.selectors.equivalents import load_nearest
from bookings.messaging.selectors.feeds import event_of
from bookings.pricing.domain.charges import ChargeMade, charge
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import load_ending, load_quoted
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Equivalent
from bookings.record.domain.reservations import OCCUPYING, effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH
from bookings.usage.selectors.closures import closure_cutting, load_cut_charge


@dataclass(frozen=True)
class Words:
    """Subject and first sentence of a kind of message, and the topic readers choose it by;
    `to_host`: the host's managers read it; `about_charge`: of a charge, and its first sentence
    names what it comes to; `own_lead`: the first sentence where the host did not end it at its
    own cost."""

    subject: object
    lead: object
    topic: str
    to_host: bool = False
    about_charge: bool = False
    own_lead: object = None


KINDS = {
    "requested": Words(
        _("Requested: {instrument}"),
        _("Your request was sent to the owner of the instrument, who will answer it."),
        "confirmation",
    ),
    "to-decide": Words(
        _("A request to approve: {instrument}"),
        _("{person} of {organisation} asks for time on your instrument."),
        "request",
        to_host=True,
    ),
    "lapsing": Words(
        _("A request is about to expire: {instrument}"),
        _("Nobody has answered this request yet. Without an answer it expires at the time below."),
        "expiry",
        to_host=True,
    ),
    "confirmed": Words(
        _("Confirmed: {instrument}"), _("Your booking is confirmed."), "confirmation"
    ),
    "moved": Words(_("Moved: {instrument}"), _("Your booking has another time now."), "change"),
    "rejected": Words(
        _("Not accepted: {instrument}"),
        _("The owner of the instrument could not accept it."),
        "decision",
    ),
    "cancelled": Words(_("Cancelled: {instrument}"), _("This booking was cancelled."), "change"),
    "expired": Words(
        _("No answer: {instrument}"),
        _("Nobody answered your request in time, so it has expired. It costs you nothing."),
        "decision",
    ),
    "displaced": Words(
        _("Displaced: {instrument}"),
        _("The instrument had to be closed, so your booking cannot take place. It costs nothing."),
        "displacement",
        own_lead=_(
            "The instrument was closed by whoever made this booking or was to use it, so it cannot"
            " take place. It costs what cancelling it would have cost."
        ),
    ),
    "cut-short": Words(
        _("Cut short: {instrument}"),
        _(
            "The instrument had to be closed while you were using it. You pay for the time until"
            " then at most: no minimum and no set-up fee."
        ),
        "displacement",
    ),
    "overrun": Words(
        _("Over time: {instrument}"),
        _("Your time is over and another booking follows. Please finish and check out."),
        "use",
    ),
    "overrun-next": Words(
        _("Running late: {instrument}"),
        _("The person before you is still using the instrument. You may have to wait a little."),
        "use",
    ),
    "offer": Words(
        _("A slot is free for you: {instrument}"),
        _(
            "You are first on the waiting list for this slot. It is held for you until the time "
            "below: take it, or leave it to the next in line."
        ),
        "offer",
    ),
    "reminder": Words(
        _("Starting soon: {instrument}"), _("A reminder of your booking."), "reminder"
    ),
    "no-show": Words(
        _("Not used: {instrument}"),
        _("Nobody checked in, so the booking counts as not used and the time was given free."),
        "no-show",
    ),
    "poor-rating": Words(
        _("Rated poorly: {instrument}"),
        _("{person} of {organisation} says that a session on your instrument did not go well."),
        "use",
        to_host=True,
    ),
    "completed": Words(_("Finished: {instrument}"), _("Thank you. Your session has ended."), "use"),
    "charged": Words(
        _("Charged: {instrument}"),
        _(
            "Your booking was charged to {organisation}. If something is wrong with it, dispute"
            " it within seven days."
        ),
        "charge",
        about_charge=True,
    ),
    "disputed": Words(
        _("Disputed: {instrument}"),
        _("{organisation} disputes a charge. It does not become final before you have answered."),
        "charge",
        to_host=True,
        about_charge=True,
    ),
    "dispute-settled": Words(
        _("Dispute answered: {instrument}"),
        _("The owner of the instrument maintains the charge that was disputed: it is final."),
        "charge",
        about_charge=True,
    ),
    "corrected": Words(
        _("Corrected: {instrument}"),
        _("A charge was corrected: it was reversed, and what is owed now is below."),
        "charge",
        about_charge=True,
    ),
    "series": Words(
        _("Confirmed ({count}): {instrument}"),
        _("Your series of bookings is confirmed."),
        "confirmation",
    ),
    "series-requested": Words(
        _("Requested ({count}): {instrument}"),
        _("Your series was sent to the owner of the instrument, who will answer it."),
        "confirmation",
    ),
    "series-to-decide": Words(
        _("Requests to approve ({count}): {instrument}"),
        _("{person} of {organisation} asks for a series of dates on your instrument."),
        "request",
        to_host=True,
    ),
    "imported": Words(
        _("Confirmed ({count}): {instrument}"),
        _("These bookings were imported from another calendar. They are confirmed."),
        "confirmation",
    ),
    "imported-requested": Words(
        _("Requested ({count}): {instrument}"),
        _(
            "These bookings were imported from another calendar. They were sent to the owner of "
            "the instrument, who will answer them."
        ),
        "confirmation",
    ),
    "series-moved": Words(
        _("Moved ({count}): {instrument}"), _("These bookings have other times now."), "change"
    ),
    "series-cancelled": Words(
        _("Cancelled ({count}): {instrument}"), _("These bookings were cancelled."), "change"
    ),
}


# What a message must find to say something true; and what may have changed while its mail was
# held back by quiet hours.
PASSING = frozenset({"reminder", "offer", "to-decide", "lapsing"})


def letters_of(row: OutboxMessage, now: datetime) -> list[Letter]:
    """The letters of an outbox row; none where it no longer says anything true. All are written
    before any is stored."""
    kind = row.kind.partition(".")[2]
    reservation = _about(UUID(row.payload["reservation"]))
    if reservation is None or (kind in PASSING and not _holds(kind, row, reservation, now)):
        return []
    many = _many(kind, row)
    if kind in OF_SERIES:
        if not many:
            return []
        reservation = many[0]
    words = KINDS[kind]
    about = Charge.objects.get(pk=UUID(row.payload["charge"])) if words.about_charge else None
    people = readers_of(_readers(kind, reservation, about), words.topic)
    more: dict[str, Any] = {"many": many} if many else {}
    if about is not None:
        more["about"] = about
    if kind in NOT_TO_BE:
        more["nearest"] = load_nearest(reservation, now)
    return [compose(kind, reservation, person, row, **more) for person in people]


NOT_TO_BE = frozenset({"displaced", "cut-short"})  # their people are told where else to go


def still_says(kind: str, reservation_id: UUID | None, now: datetime) -> bool:
    """Whether a message whose mail was held back is still worth sending."""
    name = kind.partition(".")[2]
    if not kind.startswith("mail.") or name not in PASSING or reservation_id is None:
        return True
    reservation = _about(reservation_id)
    return reservation is not None and _holds(name, None, reservation, now)


def _about(reservation_id: UUID) -> Reservation | None:
    return Reservation.objects.select_related(*WITH).filter(pk=reservation_id).first()


def _holds(kind: str, row: OutboxMessage | None, reservation: Reservation, now: datetime) -> bool:
    """Whether a message that speaks of something passing still does."""
    if kind == "reminder":
        is_moved = row is not None and reservation.start_at.isoformat() != row.payload["start"]
        is_ahead = reservation.start_at > now and not is_moved
        return reservation.state == Reservation.State.CONFIRMED and is_ahead
    state = effective_state(reservation.state, reservation.deadline_at, now)
    if kind == "offer":
        return state == Reservation.State.HELD
    if kind == "lapsing" and row is not None and reservation.deadline_at is not None:
        # Moved meanwhile it waits for another word, and is told of anew.
        is_same = reservation.deadline_at.isoformat() == row.payload["deadline"]
        return is_same and state == Reservation.State.REQUESTED
    return state == Reservation.State.REQUESTED


def _matters_until(kind: str, reservation: Reservation) -> datetime | None:
    """After that the message comes too late: quiet hours do not hold it back so long."""
    match kind:
        case "offer" | "to-decide" | "lapsing" | "series-to-decide":
            return reservation.deadline_at
        case "overrun" | "overrun-next":
            return reservation.end_at + timedelta(hours=12)
        case "cut-short":
            return reservation.end_at
        case _:
            return reservation.start_at


# What calendars are told: to enter or change an event, or to take it out.
ENTERS = frozenset(
    {"requested", "confirmed", "moved", "cut-short", "series", "series-moved", "imported"}
)
REMOVES = frozenset(
    {"cancelled", "rejected", "expired", "displaced", "series-cancelled", "no-show"}
)


def _calendar(
    kind: str, reservations: Sequence[Reservation], person: User, row: OutboxMessage | None
) -> str:
    """The invitation that goes with a message, or the word that it is off; empty for none. What
    was never confirmed was never entered; what waits for another word after a move is tentative."""
    if kind not in ENTERS | REMOVES:
        return ""
    found = [r for r in reservations if r.confirmed_at and r.user_id == person.pk]
    if not found:
        return ""
    changed_at = row.created_at if row else found[0].requested_at
    method = "CANCEL" if kind in REMOVES else "REQUEST"
    return calendars.write(
        [
            event_of(r, changed_at=changed_at, guest=calendars.Person(person.email, str(person)))
            for r in found
        ],
        method=method,
    )


def _readers(kind: str, reservation: Reservation, about: Charge | None) -> list[User]:
    """Who reads a message: the person of the booking, or the host's managers; of a dispute all
    who may answer it, and of its answer also whoever opened it."""
    if not KINDS[kind].to_host:
        readers = {reservation.user.pk: reservation.user}
        if kind == "dispute-settled" and about is not None:
            readers |= {d.opened_by_id: d.opened_by for d in about.disputes.all()}
        return list(readers.values())
    found = list(holders_of("manager", reservation.host_id))
    if about is not None:
        found += holders_of("finance", reservation.host_id)
    return list({person.pk: person for person in found}.values())


# Messages of many bookings, and in which states those still are that each speaks of.
OF_SERIES = {
    "series": OCCUPYING,
    "series-requested": OCCUPYING,
    "series-to-decide": frozenset({"requested"}),
    "imported": OCCUPYING,
    "imported-requested": OCCUPYING,
    "series-moved": OCCUPYING,
    "series-cancelled": frozenset({"cancelled"}),
}


def _many(kind: str, row: OutboxMessage) -> list[Reservation]:
    """The bookings a message of many speaks of, in the order of time."""
    if kind not in OF_SERIES:
        return []
    found = Reservation.objects.select_related(*WITH).filter(
        pk__in=row.payload["reservations"], state__in=OF_SERIES[kind]
    )
    return list(found.order_by("start_at", "id"))


@dataclass(frozen=True)
class Sum:
    """What many bookings cost in all."""

    payable: Decimal
    currency: str


def _cost_of_many(kind: str, many: Sequence[Reservation]) -> Sum | None:
    """Quoted before, owed after; nothing where nothing is owed."""
    costs: list[Quote | ChargeMade]
    if kind == "series-cancelled":
        costs = [c for r in many if (c := charge(load_quoted(r.pk), load_ending(r)))]
    else:
        costs = list(Quote.objects.filter(reservation__in=many, is_current=True))
    if not costs:
        return None
    return Sum(sum((c.payable for c in costs), Decimal(0)), costs[0].currency)


def _costs_of(
    kind: str, reservation: Reservation, many: Sequence[Reservation], about: Charge | None
) -> Sum | Quote | ChargeMade | Charge | None:
    if about is None:
        return _cost_of_many(kind, many) if many else _costs(kind, reservation)
    # Of one that was taken back, with none in its place, nothing is left.
    is_gone = about.state == Charge.State.REVERSED
    return Sum(Decimal(0), about.currency) if is_gone else about


CHARGED = frozenset({"cancelled", "displaced", "series-cancelled", "no-show", "completed"})
PRICED = frozenset({"requested", "to-decide", "lapsing", "confirmed", "moved", "reminder"})


def _costs(kind: str, reservation: Reservation) -> Quote | ChargeMade | None:
    """What the message says of money: the quote before, what is owed after; nothing where
    nothing is owed."""
    if kind in PRICED:
        return reservation.quotes.filter(is_current=True).first()
    session = getattr(reservation, "session", None)
    if kind == "cut-short" and session is not None and session.cut_at is not None:
        return load_cut_charge(reservation, session.cut_at)
    if kind in CHARGED and reservation.confirmed_at:
        return charge(load_quoted(reservation.pk), load_ending(reservation))
    return None


def _form_for(instrument_id: UUID, period: Period, organisation: str) -> str:
    """The address of the booking form for a period."""
    asked = {
        "start": period.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "minutes": str(period.minutes),
        "organisation": organisation,
    }
    form = reverse("bookings:book", kwargs={"instrument_id": instrument_id})
    return f"{settings.SITE_URL}{form}?{urlencode(asked)}"


def _page_of(reservation: Reservation, about: Charge | None) -> str:
    """The page that a message is about."""
    if about is not None:
        return reverse("bookings:money-charges-one", kwargs={"charge_id": about.pk})
    return reverse("bookings:reservation", kwargs={"reservation_id": reservation.pk})


def compose(
    kind: str,
    reservation: Reservation,
    person: User,
    row: OutboxMessage | None = None,
    *,
    many: Sequence[Reservation] = (),
    nearest: Sequence[Equivalent] = (),
    about: Charge | None = None,
) -> Letter:
    """The message in the reader's language, with times in the instrument's zone and theirs; of
    many bookings it lists the dates. `nearest` is where somebody displaced or cut short could go;
    `about` the charge it is about."""
    words = KINDS[kind]
    if kind in OF_SERIES:
        many = many or [reservation]
    zone = reservation.instrument.facility.time_zone
    with translation.override(person.language), timezone.override(ZoneInfo(zone)):
        instrument = reservation.instrument
        name = instrument.name
        if person.language == "zh-hans" and instrument.name_zh:
            name = instrument.name_zh
        facts = {
            "instrument": name,
            "person": str(reservation.user),
            "organisation": reservation.organisation.name,
            "count": len(many),
        }
        if person.language == "zh-hans" and reservation.organisation.name_zh:
            facts["organisation"] = reservation.organisation.name_zh
        payer = reservation.organisation.code
        period = Period(reservation.start_at, reservation.end_at)
        is_cut = kind == "cut-short"
        cut_by = closure_cutting(getattr(reservation, "session", None)) if is_cut else None
        again = reverse("bookings:instrument", kwargs={"instrument_id": instrument.pk})
        # Displaced by whose own booking it was, it may cost something.
        is_own = words.own_lead and not reservation.is_ended_by_host
        lead = words.own_lead if is_own else words.lead
        context = {
            "kind": kind,
            "lead": str(lead).format_map(facts),
            "reservation": reservation,
            "instrument_name": name,
            "zone": zone,
            "own_zone": person.time_zone if person.time_zone != zone else "",
            "many": many,
            "costs": _costs_of(kind, reservation, many, about),
            "costs_label": gettext("Charged")
            if kind in CHARGED or about or is_cut
            else gettext("Price"),
            "again": settings.SITE_URL + again if kind in NOT_TO_BE | {"rejected"} else "",
            "cut_by": cut_by,
            "rated": getattr(reservation, "session", None) if kind == "poor-rating" else None,
            "nearest": [(n, _form_for(n.instrument, n.period, payer)) for n in nearest],
            "until_label": _until_label(kind),
            "take": _form_for(instrument.pk, period, payer) if kind == "offer" else "",
            "waiting_list": settings.SITE_URL + reverse("bookings:waiting"),
            "link": settings.SITE_URL + _page_of(reservation, about),
            "is_charge": about is not None,
        }
        text, html = framed("bookings/messaging/mail/message", words.topic, person, context)
        return Letter(
            person=person,
            topic=words.topic,
            kind=f"mail.{kind}",
            subject=" ".join(str(words.subject).format_map(facts).split()),
            text=text,
            html=html,
            link=_page_of(reservation, about),
            calendar=_calendar(kind, many or [reservation], person, row),
            about=about.pk if about else reservation.pk,
            matters_until=_matters_until(kind, reservation),
        )


def _until_label(kind: str) -> str:
    """What the deadline of a booking means to the reader; empty where it means nothing."""
    if kind == "offer":
        return gettext("Held for you until")
    if kind in {"to-decide", "lapsing"}:
        return gettext("Answer by")
    return ""
