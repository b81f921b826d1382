"""Kiosks: the one that a tablet's token belongs to, and the list of an organisation's kiosks."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from accounts.domain.roles import Actor
from accounts.selectors.secrets import digest_of
from bookings.usage.models import Kiosk
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.registry import RECORD, WITH, facilities, managed_instruments


def kiosk_by_token(token: str, now: datetime) -> Kiosk | None:
    """Return the kiosk of a token; None if it is revoked or has expired."""
    if not token:
        return None
    rows = Kiosk.objects.select_related("organisation__region")
    return rows.filter(digest=digest_of(token), revoked_at=None, expires_at__gt=now).first()


def kiosk_to_enrol(code: str, now: datetime) -> Kiosk | None:
    """Return the kiosk of an enrolment code; None if the code was used or has expired."""
    rows = Kiosk.objects.select_related("organisation__region")
    return rows.filter(enrol_digest=digest_of(plain(code)), revoked_at=None, enrol_until__gt=now).first()


def plain(code: str) -> str:
    """Return a code in capitals, with only its letters and digits, however it was typed; that of an address,
    which a camera reads, is its last part."""
    last = code.strip().rstrip("/").rpartition("/")[2]
    return "".join(each for each in last.upper() if each.isalnum())


def code_digest(instrument_id: object, code: str) -> bytes:
    """Return the digest that is stored of a check-in code."""
    value = f"{instrument_id}:{code}"
    return salted_hmac("bookings.check-in", value, algorithm="sha256").digest()


def shown_on(kiosk: Kiosk) -> list[Instrument]:
    """Return the published instruments of a kiosk, by name."""
    rows = kiosk.instruments.select_related(*WITH).defer(*RECORD)
    return list(rows.filter(publication="published").order_by("name", "id"))


def kiosks_for(actor: Actor) -> QuerySet[Kiosk]:
    """Return the kiosks of organisations the actor manages, or all for an administrator; the newest
    first."""
    rows = Kiosk.objects.select_related("organisation__region", "created_by")
    if not actor.has("administrator"):
        managed = actor.organisations_where("manage-instruments")
        rows = rows.filter(organisation__in=managed)
    return rows.prefetch_related("instruments").order_by("-created_at", "-id")


def facilities_to_mark(actor: Actor) -> list[Facility]:
    """Return the facilities whose instruments get labels and kiosks: of organisations the actor manages, with
    an instrument the actor manages, or all for an administrator; by name."""
    rows = facilities()
    if not actor.has("administrator"):
        whole = actor.organisations_where("manage-instruments")
        some = managed_instruments(actor).order_by().values("facility")
        rows = rows.filter(Q(organisation__in=whole) | Q(pk__in=some))
    return list(rows)


def instruments_to_mark(actor: Actor, facility: Facility) -> list[Instrument]:
    """Return the instruments of a facility that the actor manages (all for an administrator) and that are not
    retired, by name."""
    rows = facility.instruments if actor.has("administrator") else managed_instruments(actor)
    rows = rows.filter(facility=facility).exclude(publication="retired")
    return list(rows.select_related("facility").order_by("name", "id"))
