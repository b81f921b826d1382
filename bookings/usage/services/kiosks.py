"""Kiosks: setting them up, revoking them, and checking in at them with a personal code."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import trail
from accounts.domain.errors import NotFound, Refused, WrongState, invalid
from accounts.domain.roles import PLATFORM, Actor, By
from accounts.models import Organisation, User
from accounts.models.keys import new_code
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.models import UsageSession
from bookings.usage.domain import kiosks
from bookings.usage.models import CheckInCode, FaultReport, Kiosk
from bookings.usage.selectors.kiosks import code_digest, kiosk_by_token, kiosk_to_enrol, kiosks_for
from bookings.usage.services.faults import fault_report_at_kiosk
from bookings.usage.services.usage import reservation_check_in, reservation_to_use
from instruments.register.locks import lock_instrument
from instruments.register.models import Instrument


class WrongCode(Refused):
    """The code is wrong, used or expired, so nobody is checked in."""

    code = "wrong-code"


class TooManyCodes(Refused):
    """Too many wrong codes were typed at a kiosk, so it takes none for a while."""

    code = "too-many-codes"


def _require(actor: Actor, organisation: Organisation) -> None:
    """Require that the actor may set up kiosks of an organisation, as its manager or an administrator."""
    if not actor.has("administrator"):
        require(actor, "manage-instruments", place_of(organisation))


@transaction.atomic
def kiosk_create(by: By, *, name: str, instrument_ids: Sequence[UUID]) -> tuple[Kiosk, str]:
    """Create a kiosk for instruments of one organisation, as a manager of the host or an administrator.
    Return it with the code by which a tablet can enrol once, within a day; the code cannot be shown again.
    Raises `Invalid`, `WrongState` (too-many-kiosks)."""
    name, ids = name.strip(), set(instrument_ids)
    if not name or len(name) > 80:
        raise invalid("name", "required" if not name else "too-long", most=80)
    rows = list(Instrument.objects.select_related("organisation__region").filter(pk__in=ids))
    hosts = {row.organisation for row in rows}
    if not rows or len(rows) != len(ids) or len(hosts) > 1:
        raise invalid("instruments", "required" if not ids else "unknown-value")
    if len(ids) > kiosks.MOST_INSTRUMENTS:
        raise invalid("instruments", "too-many", most=kiosks.MOST_INSTRUMENTS)
    (host,) = hosts
    _require(by.actor, host)
    if _in_force(host, by.now) >= kiosks.MOST_KIOSKS:
        raise WrongState("too-many-kiosks", most=kiosks.MOST_KIOSKS)
    code = new_code(kiosks.ENROL_LENGTH)
    kiosk = Kiosk.objects.create(
        organisation=host,
        name=name,
        enrol_digest=digest_of(code),
        enrol_until=by.now + kiosks.ENROL_WITHIN,
        created_by_id=by.actor.person,
        created_at=by.now,
        expires_at=by.now + kiosks.LASTS,
    )
    kiosk.instruments.set(rows)
    after = {"instruments": sorted(str(pk) for pk in ids), "expires_at": kiosk.expires_at}
    trail.record(by, "kiosk.create", kiosk, after=after)
    return kiosk, code


def _in_force(host: Organisation, now: datetime) -> int:
    return Kiosk.objects.filter(organisation=host, revoked_at=None, expires_at__gt=now).count()


@transaction.atomic
def kiosk_enrol(*, code: str, now: datetime) -> tuple[Kiosk, str]:
    """Enrol a tablet as the kiosk of a code, once; return the kiosk with its token. Raises `WrongCode`,
    `WrongState` (too-many-kiosks) where an expired kiosk would be one too many in force."""
    known = kiosk_to_enrol(code, now)
    if known is None:
        raise WrongCode
    kiosk = Kiosk.objects.select_for_update(of=("self",), no_key=True).get(pk=known.pk)
    if kiosk.enrol_digest is None or kiosk.revoked_at is not None:
        raise WrongCode  # another tablet was faster
    if kiosk.expires_at <= now and _in_force(kiosk.organisation, now) >= kiosks.MOST_KIOSKS:
        raise WrongState("too-many-kiosks", most=kiosks.MOST_KIOSKS)
    token = secrets.token_urlsafe(32)
    kiosk.digest, kiosk.enrol_digest, kiosk.enrolled_at = digest_of(token), None, now
    kiosk.expires_at = now + kiosks.LASTS
    kiosk.save(update_fields=["digest", "enrol_digest", "enrolled_at", "expires_at"])
    # Nobody knows who holds the code; the entry of its creation names who gave it.
    trail.record(By(PLATFORM, now), "kiosk.enrol", kiosk, after={"expires_at": kiosk.expires_at})
    return kiosk, token


@transaction.atomic
def kiosk_pair(by: By, *, kiosk_id: UUID) -> tuple[Kiosk, str]:
    """Give a kiosk a new code, by which a tablet becomes it for another 90 days; the tablet that is the kiosk
    now stays so until then. Return the kiosk with the code. For the host's managers and administrators."""
    rows = kiosks_for(by.actor).prefetch_related(None)
    kiosk = visible(rows.select_for_update(of=("self",), no_key=True), pk=kiosk_id)
    _require(by.actor, kiosk.organisation)
    if kiosk.revoked_at is not None:
        raise WrongState("kiosk-revoked")
    in_force = kiosk.expires_at > by.now
    if not in_force and _in_force(kiosk.organisation, by.now) >= kiosks.MOST_KIOSKS:
        raise WrongState("too-many-kiosks", most=kiosks.MOST_KIOSKS)
    code = new_code(kiosks.ENROL_LENGTH)
    kiosk.enrol_digest, kiosk.enrol_until = digest_of(code), by.now + kiosks.ENROL_WITHIN
    kiosk.save(update_fields=["enrol_digest", "enrol_until"])
    trail.record(by, "kiosk.pair", kiosk)
    return kiosk, code


def kiosk_report_fault(
    *, token: str, instrument_id: UUID, severity: str, text: str, now: datetime
) -> FaultReport:
    """Report a fault of one of the instruments of a kiosk at the kiosk itself. Raise `NotFound` for a token
    that is not valid, or for an instrument of another kiosk."""
    kiosk = kiosk_by_token(token, now)
    if kiosk is None:
        raise NotFound
    return fault_report_at_kiosk(kiosk, instrument_id=instrument_id, severity=severity, text=text, now=now)


@transaction.atomic
def kiosk_revoke(by: By, *, kiosk_id: UUID) -> Kiosk:
    """Revoke a kiosk's token and its enrolment code at once; doing so again changes nothing. For the host's
    managers and administrators."""
    rows = kiosks_for(by.actor).prefetch_related(None)
    kiosk = visible(rows.select_for_update(of=("self",), no_key=True), pk=kiosk_id)
    _require(by.actor, kiosk.organisation)
    by.require_version(kiosk.version)
    if kiosk.revoked_at is None:
        kiosk.revoked_at = by.now
        kiosk.save(update_fields=["revoked_at"])
        trail.record(by, "kiosk.revoke", kiosk)
    return kiosk


@transaction.atomic
def check_in_code(by: By, *, reservation_id: UUID) -> tuple[CheckInCode, str]:
    """Make six digits by which a kiosk checks the person in to their booking, once, within two minutes;
    return the row and the digits. Earlier codes stop working. Only for the booking's person. Raises
    `WrongState` when it is too early or too late to check in."""
    instrument, reservation = reservation_to_use(by, reservation_id)
    if by.actor.user_id != reservation.user_id:
        raise NotFound
    if reservation.state != "confirmed":
        raise WrongState(state=reservation.state, wanted="in_use")
    span = rules.check_in_span(Period(reservation.start_at, reservation.end_at))
    if by.now < span.start:
        raise WrongState("too-early", opens=span.start.isoformat())
    if by.now >= span.end:
        raise WrongState("too-late")
    here = CheckInCode.objects.filter(instrument=instrument)
    here.filter(expires_at__lte=by.now).delete()
    here.filter(reservation=reservation).delete()
    taken = {bytes(digest) for digest in here.values_list("digest", flat=True)}
    while True:
        code = f"{secrets.randbelow(1_000_000):06}"
        if (digest := code_digest(instrument.pk, code)) not in taken:
            break
    row = CheckInCode.objects.create(
        reservation=reservation, instrument=instrument, digest=digest, expires_at=by.now + kiosks.CODE_LASTS
    )
    # The booking does not change, so the entry is about the code.
    after = {"reservation": reservation.pk}
    trail.record(by, "checkincode.make", row, after=after, places=reservation.places())
    return row, code


def kiosk_check_in(*, token: str, instrument_id: UUID, code: str, now: datetime) -> UsageSession:
    """Check in the person who has this code to their booking of an instrument of the kiosk. Raise `NotFound`
    for a token that is not valid, or for an instrument of another kiosk; `WrongCode`; `TooManyCodes` after
    too many wrong ones. Attempts count even if this fails."""
    kiosk = kiosk_by_token(token, now)
    if kiosk is None or not kiosk.instruments.filter(pk=instrument_id).exists():
        raise NotFound
    reservation_id = _try(kiosk, instrument_id, code, now)
    if reservation_id is None:
        raise WrongCode
    return _check_in(kiosk, instrument_id, reservation_id, code, now)


@transaction.atomic
def _try(kiosk: Kiosk, instrument_id: UUID, code: str, now: datetime) -> UUID | None:
    """Return the booking of a code; None if it is wrong. A wrong code counts against the kiosk, and against
    every valid code of the instrument."""
    row = Kiosk.objects.select_for_update(no_key=True).get(pk=kiosk.pk)
    if kiosks.is_blocked(row.wrong_codes, row.wrong_since, now):
        raise TooManyCodes(most=kiosks.MOST_WRONG)
    live = CheckInCode.objects.filter(
        instrument=instrument_id, expires_at__gt=now, wrong_tries__lt=kiosks.MOST_WRONG
    )
    known = live.filter(digest=code_digest(instrument_id, code)).first()
    if known is not None:
        return known.reservation_id
    live.update(wrong_tries=F("wrong_tries") + 1)
    is_first = row.wrong_since is None or now >= row.wrong_since + kiosks.WRONG_WITHIN
    row.wrong_since = now if is_first else row.wrong_since
    row.wrong_codes = 1 if is_first else row.wrong_codes + 1
    row.save(update_fields=["wrong_since", "wrong_codes"])
    return None


@transaction.atomic
def _check_in(
    kiosk: Kiosk, instrument_id: UUID, reservation_id: UUID, code: str, now: datetime
) -> UsageSession:
    """Use up the code and check its person in, as the person themselves; the trail also names the kiosk."""
    lock_instrument(instrument_id)  # before the code, as services that make codes do
    used, _ = CheckInCode.objects.filter(
        reservation=reservation_id, digest=code_digest(instrument_id, code), expires_at__gt=now
    ).delete()
    if not used:
        raise WrongCode
    user = User.objects.get(reservations=reservation_id)
    if not user.is_active:
        raise WrongCode
    session = reservation_check_in(By(actor_of(user), now), reservation_id=reservation_id)
    after = {"reservation": reservation_id}
    trail.record(By(actor_of(user), now), "kiosk.check_in", kiosk, after=after)
    return session
