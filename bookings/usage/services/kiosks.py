"""Kiosks: given to a tablet, taken back; and checking in there with a code of one's own."""

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
from bookings.usage.domain.kiosks import (
    CODE_LASTS,
    ENROL_LENGTH,
    ENROL_WITHIN,
    LASTS,
    MOST_INSTRUMENTS,
    MOST_KIOSKS,
    MOST_WRONG,
    WRONG_WITHIN,
    is_blocked,
)
from bookings.usage.models import CheckInCode, Kiosk
from bookings.usage.selectors.kiosks import code_digest, kiosk_by_token, kiosk_to_enrol
from bookings.usage.services.usage import reservation_check_in, reservation_to_use
from instruments.locks import lock_instrument
from instruments.models import Instrument


class WrongCode(Refused):
    """Nobody may check in to this instrument with this code now."""

    code = "wrong-code"


class TooManyCodes(Refused):
    """Too many wrong codes were typed at a kiosk: it takes none for a while."""

    code = "too-many-codes"


def _require(actor: Actor, organisation: Organisation) -> None:
    """Require who may give kiosks of an organisation: its managers, and administrators."""
    if not actor.has("administrator"):
        require(actor, "manage-instruments", place_of(organisation))


@transaction.atomic
def kiosk_create(by: By, *, name: str, instrument_ids: Sequence[UUID]) -> tuple[Kiosk, str]:
    """Make a kiosk for instruments of one organisation: return it with the code by which a tablet
    enrols once within a day, which is never to be had again. For the host's managers and
    administrators. `Invalid`, `WrongState` (too-many-kiosks)."""
    name, ids = name.strip(), set(instrument_ids)
    if not name or len(name) > 80:
        raise invalid("name", "required" if not name else "too-long", most=80)
    rows = list(Instrument.objects.select_related("organisation__region").filter(pk__in=ids))
    hosts = {row.organisation for row in rows}
    if not rows or len(rows) != len(ids) or len(hosts) > 1:
        raise invalid("instruments", "required" if not ids else "unknown-value")
    if len(ids) > MOST_INSTRUMENTS:
        raise invalid("instruments", "too-many", most=MOST_INSTRUMENTS)
    (host,) = hosts
    _require(by.actor, host)
    if _in_force(host, by.now) >= MOST_KIOSKS:
        raise WrongState("too-many-kiosks", most=MOST_KIOSKS)
    code = new_code(ENROL_LENGTH)
    kiosk = Kiosk.objects.create(
        organisation=host,
        name=name,
        enrol_digest=digest_of(code),
        enrol_until=by.now + ENROL_WITHIN,
        created_by_id=by.actor.person,
        created_at=by.now,
        expires_at=by.now + LASTS,
    )
    kiosk.instruments.set(rows)
    after = {"instruments": sorted(str(pk) for pk in ids), "expires_at": kiosk.expires_at}
    trail.record(by, "kiosk.create", kiosk, after=after)
    return kiosk, code


def _in_force(host: Organisation, now: datetime) -> int:
    return Kiosk.objects.filter(organisation=host, revoked_at=None, expires_at__gt=now).count()


@transaction.atomic
def kiosk_enrol(*, code: str, now: datetime) -> tuple[Kiosk, str]:
    """Let a tablet be the kiosk of a code, once: return it with its token. `WrongCode`."""
    known = kiosk_to_enrol(code, now)
    if known is None:
        raise WrongCode
    kiosk = Kiosk.objects.select_for_update(of=("self",), no_key=True).get(pk=known.pk)
    if kiosk.enrol_digest is None or kiosk.revoked_at is not None:
        raise WrongCode  # another tablet was faster
    token = secrets.token_urlsafe(32)
    kiosk.digest, kiosk.enrol_digest, kiosk.enrolled_at = digest_of(token), None, now
    kiosk.save(update_fields=["digest", "enrol_digest", "enrolled_at"])
    # Whoever holds the code is not known; who gave it stands in the entry of its making.
    trail.record(By(PLATFORM, now), "kiosk.enrol", kiosk)
    return kiosk, token


@transaction.atomic
def kiosk_revoke(by: By, *, kiosk_id: UUID) -> Kiosk:
    """Take a kiosk's token, and the code to enrol with, out of force at once; a second time changes
    nothing. For the host's managers and administrators."""
    rows = Kiosk.objects.select_related("organisation__region")
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
    """Make six digits by which a kiosk checks the person in to their booking within two minutes,
    once; return their row and them. Those made before stop working. For the booking's person alone.
    `WrongState` outside the time in which one may check in."""
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
        reservation=reservation,
        instrument=instrument,
        digest=digest,
        expires_at=by.now + CODE_LASTS,
    )
    # Nothing about the booking changes: the entry is the code's.
    after = {"reservation": reservation.pk}
    trail.record(by, "checkincode.make", row, after=after, places=reservation.places())
    return row, code


def kiosk_check_in(*, token: str, instrument_id: UUID, code: str, now: datetime) -> UsageSession:
    """Check in, at a kiosk, the person whose code it is to their booking of an instrument of the
    kiosk. `NotFound` for a token that opens nothing (any more) and an instrument that is not the
    kiosk's; `WrongCode`, and after too many of them `TooManyCodes`: what was tried is counted, and
    that stays, whatever comes of it."""
    kiosk = kiosk_by_token(token, now)
    if kiosk is None or not kiosk.instruments.filter(pk=instrument_id).exists():
        raise NotFound
    reservation_id = _try(kiosk, instrument_id, code, now)
    if reservation_id is None:
        raise WrongCode
    return _check_in(kiosk, instrument_id, reservation_id, code, now)


@transaction.atomic
def _try(kiosk: Kiosk, instrument_id: UUID, code: str, now: datetime) -> UUID | None:
    """Return the booking of a code. One that is wrong counts against the kiosk, and against every
    code of the instrument that could have been meant."""
    row = Kiosk.objects.select_for_update(no_key=True).get(pk=kiosk.pk)
    if is_blocked(row.wrong_codes, row.wrong_since, now):
        raise TooManyCodes(most=MOST_WRONG)
    live = CheckInCode.objects.filter(
        instrument=instrument_id, expires_at__gt=now, wrong_tries__lt=MOST_WRONG
    )
    known = live.filter(digest=code_digest(instrument_id, code)).first()
    if known is not None:
        return known.reservation_id
    live.update(wrong_tries=F("wrong_tries") + 1)
    is_first = row.wrong_since is None or now >= row.wrong_since + WRONG_WITHIN
    row.wrong_since = now if is_first else row.wrong_since
    row.wrong_codes = 1 if is_first else row.wrong_codes + 1
    row.save(update_fields=["wrong_since", "wrong_codes"])
    return None


@transaction.atomic
def _check_in(
    kiosk: Kiosk, instrument_id: UUID, reservation_id: UUID, code: str, now: datetime
) -> UsageSession:
    """Use the code up and check its person in, as themselves; the trail names the kiosk, too."""
    lock_instrument(instrument_id)  # before the code, as whoever makes another does
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
