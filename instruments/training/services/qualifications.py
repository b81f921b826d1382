"""Grant and revoke certificates that people may operate instruments alone."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.permissions import require
from accounts.selectors.memberships import acts_for, no_second, place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.services.memberships import checked_reason
from instruments.register.models import Instrument
from instruments.training.domain.training import FIRST_DAY, LAST_DAY
from instruments.training.models import Qualification
from instruments.training.selectors.qualifications import qualifications_for
from instruments.vocabulary.models import Technique

MOST_TEXT = 500


class AlreadyQualified(WrongState):
    """The person holds the same certificate already."""

    code = "already-qualified"


@transaction.atomic
def qualification_grant(
    by: By, *, issuer: Organisation, instrument: Instrument | None = None, **certificate: Any
) -> Qualification:
    """Certify a person like `qualification_put`. `NotPermitted` unless the actor manages the issuer, or for
    an instrument that."""
    require(by.actor, "manage-instruments", place_of(issuer, instrument))
    require_open(issuer)
    return qualification_put(by, issuer=issuer, instrument=instrument, **certificate)


@transaction.atomic
def qualifications_grant(
    by: By, *, users: Sequence[User], issuer: Organisation, **certificate: Any
) -> tuple[list[Qualification], list[User]]:
    """Certify several people alike, all or nobody, as `qualification_grant`; return the certificates, and the
    people who hold the same already. `AlreadyQualified` if all do."""
    rows: list[Qualification] = []
    held: list[User] = []
    for user in sorted(users, key=lambda user: user.pk):  # two who certify the same people do not deadlock
        try:
            rows.append(qualification_grant(by, user=user, issuer=issuer, **certificate))
        except AlreadyQualified:
            held.append(user)
    if not rows:
        raise AlreadyQualified
    return rows, held


def qualification_put(
    by: By,
    *,
    user: User,
    issuer: Organisation,
    valid_from: date,
    instrument: Instrument | None = None,
    technique: Technique | None = None,
    valid_until: date | None = None,
    note: str = "",
) -> Qualification:
    """Certify that a person may operate one instrument, or a technique on all the issuer's instruments that
    require it; days are local and inclusive. The caller has begun a transaction and checked the rights.

    `WrongState` (`own-qualification`) if actor and person are the same; `Invalid` if a value is wrong;
    `AlreadyQualified` if the person holds the same certificate.
    """
    if acts_for(by.actor, user.pk):
        raise no_second(
            "manage-instruments",
            organisation=issuer,
            instrument=instrument,
            besides=[user.pk],
            refusal=WrongState,
        ) or WrongState("own-qualification")
    _check(issuer, instrument, technique, valid_from, valid_until, note)
    row = Qualification(
        user=user,
        instrument=instrument,
        technique=technique,
        issuer=issuer,
        valid_from=valid_from,
        valid_until=valid_until,
        note=note.strip(),
        granted_by_id=by.actor.person,
        granted_at=by.now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "qualification_once" not in str(error):
            raise
        raise AlreadyQualified from error
    trail.record(by, "qualification.grant", row, after=_told(row), reason=row.note)
    return row


def _check(
    issuer: Organisation,
    instrument: Instrument | None,
    technique: Technique | None,
    valid_from: date,
    valid_until: date | None,
    note: str,
) -> None:
    if (instrument is None) == (technique is None):
        raise invalid("instrument", "instrument-or-technique")
    if instrument is not None and instrument.organisation_id != issuer.pk:
        raise invalid("issuer", "not-the-host")
    for name, day in (("valid_from", valid_from), ("valid_until", valid_until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise invalid(name, "out-of-range", least=str(FIRST_DAY), most=str(LAST_DAY))
    if valid_until is not None and valid_until < valid_from:
        raise invalid("valid_until", "before-valid-from")
    if len(note) > MOST_TEXT:
        raise invalid("note", "too-long", most=MOST_TEXT)


@transaction.atomic
def qualification_revoke(by: By, *, qualification_id: UUID, reason: str) -> Qualification:
    """End a certificate at once; a reason is required. Bookings stay, but steps that check the qualification
    again (check-in, approval) will refuse. `WrongState` if it is revoked already."""
    rows = qualifications_for(by.actor).select_for_update(of=("self",), no_key=True)
    row = visible(rows, pk=qualification_id)
    require(by.actor, "manage-instruments", place_of(row.issuer, row.instrument))
    by.require_version(row.version)
    if row.revoked_at is not None:
        raise WrongState(state="revoked", wanted="revoked")
    reason = checked_reason(reason, is_owed=True)
    row.revoked_by_id = by.actor.person
    row.revoked_at = by.now
    row.reason = reason
    row.version += 1
    row.save(update_fields=["revoked_by", "revoked_at", "reason", "version"])
    trail.record(
        by, "qualification.revoke", row, before=_told(row), after={"revoked_at": by.now}, reason=reason
    )
    return row


def _told(row: Qualification) -> dict[str, object]:
    """Return a certificate's values for the trail."""
    return {
        "user": row.user_id,
        "instrument": row.instrument_id,
        "technique": row.technique.code if row.technique else None,
        "issuer": row.issuer_id,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
    }
