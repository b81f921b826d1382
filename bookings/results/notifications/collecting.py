"""Messages about collecting results: that they will be deleted, that a link is used, and that they should be
kept longer."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import staff_of
from bookings.results.models import CollectLink, HandOff, KeepRequest
from bookings.results.selectors.handoffs import every_hand_off

_WITH = ("reservation__instrument__facility", "reservation__user", "reservation__made_by", "host")
_hand_off = row_of(every_hand_off().select_related("reservation__made_by"), "hand_off")


def _persons(hand_off: HandOff) -> list[User]:
    booking = hand_off.reservation
    return list({person.pk: person for person in (booking.user, booking.made_by)}.values())


def _about(
    hand_off: HandOff, context: Mapping[str, Any], words: Mapping[str, Any], day: datetime | None = None
) -> Content:
    """Return the content about results, with the day of their booking or another in the subject."""
    booking = hand_off.reservation
    return Content(
        hand_off.pk,
        reverse("bookings:result", args=[hand_off.pk]) + "#collect",
        {"instrument": booking.instrument, **words},
        {"hand_off": hand_off, "reservation": booking, **context},
        zone=booking.instrument.facility.time_zone,
        days=[day or booking.start_at],
    )


def _load_expiring(row: OutboxMessage, now: datetime) -> HandOff | None:
    """Return the results; None if they are kept longer or under a legal hold by now."""
    hand_off: HandOff | None = _hand_off(row, now)
    if hand_off is None or hand_off.held_at or hand_off.told_days != row.payload["days"]:
        return None
    return hand_off


def _of_link(link: CollectLink, row: OutboxMessage, now: datetime) -> Content:
    return _about(link.hand_off, {"link_row": link}, {"label": link.label, "person": str(link.created_by)})


def _side(link: CollectLink) -> list[User]:
    """Return who made a link that ended with their role, and who takes over: the host's managers, or the
    booking's person."""
    hand_off = link.hand_off
    others = [hand_off.reservation.user]
    if link.is_of_host:
        others = staff_of(hand_off.host_id, hand_off.reservation.instrument)
    return list({person.pk: person for person in (link.created_by, *others)}.values())


def _of_request(request: KeepRequest, row: OutboxMessage, now: datetime) -> Content:
    words = {"person": str(request.asked_by), "days": request.days}
    return _about(request.hand_off, {"request": request}, words)


_kind = partial(Kind, template="bookings/results/mail/results")
_link = partial(
    _kind,
    topic="use",
    load=row_of(
        CollectLink.objects.select_related("created_by", *(f"hand_off__{name}" for name in _WITH)), "link"
    ),
    content=_of_link,
)
_request = partial(
    _kind,
    load=row_of(
        KeepRequest.objects.select_related("asked_by", *(f"hand_off__{name}" for name in _WITH)), "request"
    ),
    content=_of_request,
)
KINDS = table(
    _kind(
        "results.expiring",
        _("Your results will be deleted: {instrument}"),
        _("Collect them before then, or ask the host to keep them longer."),
        "expiry",
        load=_load_expiring,
        readers=_persons,
        content=lambda hand_off, row, now: _about(hand_off, {}, {}, hand_off.retain_until),
        is_still_true=in_state("expiring"),
    ),
    _link(
        "results.link-used",
        _("A link to results was used: {instrument}"),
        _("The link for {label} was used for the first time. If you did not expect it, revoke it."),
        readers=lambda link: [link.created_by],
    ),
    _link(
        "results.link-ended",
        _("A link to results has ended: {instrument}"),
        _(
            "The link for {label} no longer works, because {person}, who created it, may no longer"
            " read these results. Create another one if it is still needed."
        ),
        readers=_side,
    ),
    _request(
        "results.keep-asked",
        _("Keep results longer? {instrument}"),
        _("{person} asks that the results of this booking be kept {days} days longer."),
        "request",
        readers=lambda request: staff_of(request.hand_off.host_id, request.hand_off.reservation.instrument),
        is_still_true=in_state("open"),
    ),
    _request(
        "results.keep-granted",
        _("Your results are kept longer: {instrument}"),
        _("The host keeps them {days} days longer, as you asked."),
        "decision",
        on="results.keep-decided",
        readers=lambda request: [request.asked_by],
        is_still_true=in_state("granted"),
    ),
    _request(
        "results.keep-declined",
        _("Your results are not kept longer: {instrument}"),
        _("The host declined to keep them longer. Collect them before they are deleted."),
        "decision",
        on="results.keep-decided",
        readers=lambda request: [request.asked_by],
        is_still_true=in_state("declined"),
    ),
)
