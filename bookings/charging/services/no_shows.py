"""Remove a no-show: the person was there, or it was not their fault."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.notifications import Effect, enqueue
from accounts.permissions import require, require_person
from accounts.selectors.memberships import no_second, place_of
from bookings.charging.domain.corrections import Amendment, amended
from bookings.charging.domain.no_shows import check_cause, require_chargeable
from bookings.charging.selectors.corrections import grants_after
from bookings.charging.selectors.no_shows import require_removable
from bookings.charging.services.corrections import charge_replace, charge_take_back
from bookings.charging.services.disputes import worded
from bookings.pricing.domain.usage import Usage, require_usage
from bookings.pricing.models import Charge, Correction
from bookings.pricing.selectors.charges import load_quoted
from bookings.record.domain.reservations import is_own
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation
from bookings.reserving.services import occupancy
from bookings.usage.services.sessions import session_set
from bookings.usage.services.usage import require_user


@transaction.atomic
def no_show_strike(
    by: By, *, reservation_id: UUID, cause: str, reason: str, usage: Usage | None = None
) -> Reservation:
    """Remove the no-show of a booking, as a manager of the host, but not of one's own booking. The booking
    counts as completed. With the times of `usage`, which the cause `was_there` needs, it is charged for its
    use instead; otherwise it costs nothing. The person is told.

    Raise `WrongState` once the charge is final, disputed or on a statement, if a correction is proposed, or
    for times of use after the charge was waived.
    """
    instrument, reservation = lock_reservation(reservation_id)
    require_user(by.actor, reservation)
    require(by.actor, "manage-instruments", place_of(reservation.host, instrument))
    require_person(by.actor)
    parties = [reservation.user_id, reservation.made_by_id]
    if is_own(by.actor.user_id, person=parties[0], maker=parties[1]):
        nobody = no_second(
            "manage-instruments", organisation=reservation.host, instrument=instrument, besides=parties
        )
        raise nobody or NotPermitted("own-no-show")
    by.require_version(reservation.version)
    reason = worded("reason", reason)
    check_cause(cause, usage)
    charge = require_removable(reservation, by.now)
    was_charged = Charge.objects.filter(reservation=reservation, kind__in=Charge.ORIGINAL).exists()
    require_chargeable(has_usage=usage is not None, was_charged=was_charged, is_in_force=charge is not None)
    if usage is not None:
        require_usage(usage, reserved=(reservation.start_at, reservation.end_at), now=by.now)
    corrected: list[Effect] = []
    if charge is not None:
        now_due = _charge_again(by, reservation, charge, cause, reason, usage)
        about = {"charge": str(now_due.pk)}
        corrected.append(Effect("struck.charge", f"struck.charge:{charge.pk}", about))
    if usage is not None:
        session_set(by, reservation=reservation, usage=usage, reason=reason)
    else:
        ended = {"ended_at": reservation.ended_at}
        occupancy.reservation_move_to(by, reservation=reservation, state="completed", extra=ended)
    reservation.reason = reason[:500]
    reservation.save(update_fields=["reason"])
    occupancy.reservation_touch(
        by,
        reservation=reservation,
        action="reservation.strike-no-show",
        changes={"struck": cause},
        recorded={"struck": cause},
        reason=reason,
    )
    effects = [
        occupancy.hours_dirty(reservation, reservation.start_at, reservation.end_at),
        occupancy.message("no-show-struck", reservation),
        # Charges the use if nothing was charged before, else frees what is set aside; expects the results.
        occupancy.charge_due(reservation),
        *corrected,
    ]
    enqueue(effects, now=by.now)
    return reservation


def _charge_again(
    by: By, reservation: Reservation, charge: Charge, cause: str, reason: str, usage: Usage | None
) -> Charge:
    """Reverse the charge of a no-show, and charge the use instead if there was one. Return the charge that
    was made, or else the reversed one."""
    if Correction.objects.filter(charge=charge, state="proposed").exists():
        raise WrongState("correction-proposed")
    inputs = None
    if usage is not None:
        grants = grants_after(charge, charge.inputs)
        inputs = amended(
            charge.kind,
            charge.inputs,
            Amendment(usage=usage),
            quoted=load_quoted(reservation.pk),
            grants=grants,
        ).inputs
    charge.reservation, charge.enrolment = reservation, None
    charge.organisation, charge.host = reservation.organisation, reservation.host
    _, replacement = charge_replace(charge, "use", inputs, by.now)
    reversed_ = charge_take_back(by, charge, replacement, reason=reason, recorded={"struck": cause})
    return replacement or reversed_
