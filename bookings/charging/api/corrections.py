"""Answer disputes, correct charges, and enter when a booking was used."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.api.resource import OnPage, Resource, acts, creates
from accounts.api.shapes import Choice, Instant, Nothing, Number, ObjectOf, Shape, Text, Whole
from accounts.domain.errors import invalid
from bookings.charging.api.charges import TAG, Charges, CorrectionShape
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.corrections import correction_by_id
from bookings.charging.services.corrections import (
    correction_agree,
    correction_propose,
    correction_refuse,
    correction_withdraw,
)
from bookings.charging.services.disputes import dispute_reject
from bookings.charging.services.no_shows import no_show_strike
from bookings.pricing.domain.usage import Usage
from bookings.pricing.models import Correction
from bookings.record.api.lists import listed
from bookings.record.models import Reservation
from bookings.reserving.api.reservations import ReservationResource, with_all
from bookings.usage.selectors.sessions import SESSIONS, listed_sessions
from bookings.usage.services.sessions import session_complete


class AmendmentBody(Shape):
    """The inputs that were wrong, with their correct values; fields left out were right."""

    check_in = Instant(required=False, help_text="When use really began; required with `check_out`.")
    check_out = Instant(required=False)
    options = ObjectOf(
        child=Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Corrected quantities of options, by code.",
    )
    samples = Whole(min_value=0, max_value=1_000_000, required=False)
    waive_percent = Number(
        6, 3, min_value=0, max_value=100, required=False, help_text="100: nothing is to be paid."
    )


class CorrectionBody(AmendmentBody):
    reason = Text(1000)


class SettleBody(AmendmentBody):
    """The answer to a dispute. `uphold` needs the inputs that were wrong."""

    verdict = Choice([("reject", _("reject")), ("uphold", _("uphold"))])
    answer = Text(1000)


class RefuseBody(Shape):
    reason = Text(1000)


class UsageBody(Shape):
    check_in = Instant()
    check_out = Instant()
    samples = Whole(min_value=0, max_value=1_000_000, required=False, allow_null=True)


class NoShowBody(Shape):
    """Why a no-show is removed, and the times of use if the person was there."""

    cause = Choice(Reservation.Struck.choices)
    reason = Text(500)
    check_in = Instant(required=False, help_text="Required with `was_there`, and only allowed then.")
    check_out = Instant(required=False)


def amendment_of(data: dict[str, Any]) -> Amendment:
    """Return the amendment in a body; raise `Invalid` if it gives only one of the two times."""
    samples = data.get("samples")
    return Amendment(
        usage=usage_of(data),
        options=data.get("options", {}),
        quantity=None if samples is None else Decimal(samples),
        waive_percent=data.get("waive_percent"),
    )


def usage_of(data: dict[str, Any]) -> Usage | None:
    """Return the times of use in a body, None without any; raise `Invalid` if it gives only one of two."""
    if "check_in" not in data and "check_out" not in data:
        return None
    for name in ("check_in", "check_out"):
        if name not in data:
            raise invalid(name, "both-times")
    return data["check_in"], data["check_out"]


class ChargeSettle(Charges):
    write_scope = "manage"

    @acts(
        _("Answer a dispute"),
        SettleBody,
        sends={"verdict": "uphold", "answer": "You are right.", "waive_percent": "50"},
    )
    def settle(self, pk: UUID, data: dict[str, Any]) -> None:
        """Answer a dispute, as the host's manager or finance, but never about a charge of your own booking.
        `reject`: the charge is final at once. `uphold`: the given inputs become a correction, and the dispute
        is upheld when a second approver agrees to it."""
        answer = data["answer"]
        if data["verdict"] == "reject":
            dispute_reject(self.by, charge_id=pk, answer=answer)
        else:
            amendment = amendment_of(data)
            correction_propose(self.by, charge_id=pk, amendment=amendment, reason=answer, settles=True)


class Corrections(Resource):
    at, key, tag = "corrections/", "correction_id", TAG
    name, many = "correction", "corrections"
    shape, page_at, page_name = CorrectionShape, "charges/corrections/", "money-charges-correction"

    def visible(self, pk: UUID) -> Correction:
        return correction_by_id(self.actor, pk)

    @OnPage("bookings:money-charges-one", done=_("Corrected. The payer has been notified."), of="charge_id")
    @acts(_("Agree to a correction"), Nothing)
    def agree(self, pk: UUID, data: dict[str, Any]) -> None:
        """Agree to a correction, as a second manager or finance person of the host whose own booking it is
        not; where the host has none, as the booking's person or the payer's manager or finance. The charge is
        reversed and a new one created, in one step; what a voucher covers is computed at this moment."""
        correction_agree(self.by, correction_id=pk)

    @OnPage(
        "bookings:money-charges-one",
        done=_("The correction is refused: the charge stays as it is."),
        of="charge_id",
    )
    @acts(_("Refuse a correction"), RefuseBody, sends={"reason": "The logbook says otherwise."})
    def refuse(self, pk: UUID, data: dict[str, Any]) -> None:
        """Refuse a correction, as whoever may agree to it. The charge stays as it is."""
        correction_refuse(self.by, correction_id=pk, **data)

    @OnPage(
        "bookings:money-charges-one",
        _("Withdraw the correction"),
        _("The correction is withdrawn."),
        of="charge_id",
    )
    @acts(_("Withdraw a correction"), Nothing)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> None:
        """Withdraw a correction that you have proposed."""
        correction_withdraw(self.by, correction_id=pk)


class ChargeCorrections(Corrections):
    at, many = "charges/<uuid:charge_id>/corrections/", "charge_corrections"

    def location(self, row: Any) -> str:
        return reverse("api-charge", kwargs={"charge_id": row.charge_id})

    @creates(
        _("Propose a correction"),
        CorrectionBody,
        refuses=[404, 409],
        versioned=True,
        sends={
            "reason": "The chamber was vented by mistake for an hour.",
            "check_in": "2026-03-06T10:00:00+08:00",
            "check_out": "2026-03-06T11:00:00+08:00",
            "options": {"operator": "0"},
        },
    )
    def propose(self, charge_id: UUID, data: dict[str, Any]) -> UUID:
        """Propose what a charge should have been, computed by the rule that made it. The host's managers and
        finance may do this. Nothing changes before a second person agrees: see `agree/`.
        Final charges, and charges on statements, can be corrected too."""
        amendment, reason = amendment_of(data), data["reason"]
        correction = correction_propose(self.by, charge_id=charge_id, amendment=amendment, reason=reason)
        return correction.pk


class SessionsToComplete(ReservationResource):
    at, many, order = "sessions-to-complete/", "sessions_to_complete", ("end_at", "id")
    tag, needs_person = TAG, True

    @listed(_("Sessions to complete"), SESSIONS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Reservation]:
        """List completed bookings that are charged by use and whose use nobody recorded: your own, and those
        of instruments you operate, without prices unless you manage them; oldest first.
        `PUT reservations/{id}/usage/` completes one."""
        return with_all(listed_sessions(self.actor))


class ReservationUsage(ReservationResource):
    @acts(
        _("Enter the times of use"),
        UsageBody,
        method="put",
        sends={"check_in": "2026-03-06T10:05:00+08:00", "check_out": "2026-03-06T11:50:00+08:00"},
    )
    def usage(self, pk: UUID, data: dict[str, Any]) -> None:
        """Enter the times of a completed booking whose use nobody recorded, as its person or as whoever
        operates the instrument; its charge follows. Once it is charged the answer is 409, and the charge has
        to be corrected."""
        usage = (data["check_in"], data["check_out"])
        session_complete(self.by, reservation_id=pk, usage=usage, samples=data.get("samples"))

    @acts(
        _("Remove a no-show"),
        NoShowBody,
        scope="manage",
        refuses=[403, 404, 409],
        sends={"cause": "host_fault", "reason": "The door was locked and nobody answered the telephone."},
    )
    def strike_no_show(self, pk: UUID, data: dict[str, Any]) -> None:
        """Remove the no-show of a booking, as a manager of the host, but not of your own booking. The booking
        counts as completed and its person is told. `was_there` needs the times of use, for which the booking
        is then charged; otherwise it costs nothing. 409 `no-show-final`, `no-show-disputed`,
        `no-show-on-statement`: correct the charge first, or answer its dispute. 409 `no-show-past`: there is
        no charge, and the time is over. 409 `no-show-waived`: the charge was taken back; give no times."""
        usage = usage_of(data)
        no_show_strike(self.by, reservation_id=pk, cause=data["cause"], reason=data["reason"], usage=usage)
