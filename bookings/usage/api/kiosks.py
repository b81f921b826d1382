"""Kiosks, and codes for checking in at them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, creates, lists, reads
from accounts.api.shapes import Instant, ListOf, Nothing, Shape, Text
from accounts.selectors.rows import visible
from bookings.reserving.api.reservations import ReservationResource
from bookings.reserving.api.transitions import REFUSES
from bookings.usage.domain.kiosks import MOST_INSTRUMENTS
from bookings.usage.models import Kiosk
from bookings.usage.selectors.kiosks import kiosks_for
from bookings.usage.services.kiosks import check_in_code, kiosk_create, kiosk_pair, kiosk_revoke


class KioskShape(serializers.Serializer[Any]):
    """A tablet that shows times and initials for its instruments, and takes check-ins by code."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    organisation = serializers.CharField(source="organisation.code")
    instruments = serializers.ListField(child=serializers.UUIDField(), source="shown")
    created_at = Instant()
    enrolled_at = Instant(allow_null=True)
    expires_at = Instant()
    revoked_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class NewKioskShape(KioskShape):
    code = serializers.CharField(
        source="secret", help_text="Enrols one tablet at /kiosk/ within a day. The code is shown only once."
    )


class KioskBody(Shape):
    name = Text(80)
    instruments = ListOf(
        child=serializers.UUIDField(),
        max_length=MOST_INSTRUMENTS,
        help_text="Ids of instruments of one host.",
    )


class CodeShape(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A code of six digits.")
    expires_at = Instant()


class Kiosks(Resource):
    for_persons = True
    at, key, name, many, tag = "kiosks/", "kiosk_id", "kiosk", "kiosks", "closures"
    shape, needs_person = KioskShape, True

    def visible(self, pk: UUID) -> Kiosk:
        return visible(kiosks_for(self.actor), pk=pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.shown = [each.pk for each in row.instruments.all()]
        return rows

    @lists(_("Kiosks"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Kiosk]:
        """Return the kiosks of organisations you manage, or all for an administrator; the newest first."""
        return kiosks_for(self.actor)

    @creates(_("Create a kiosk"), KioskBody, gives=NewKioskShape, once=False, refuses=[409])
    def create(self, data: dict[str, Any]) -> Kiosk:
        """Create a kiosk, which expires 90 days after a tablet has become it. Only the host's managers and
        administrators may do this."""
        row, code = kiosk_create(self.by, name=data["name"], instrument_ids=data["instruments"])
        self.prepared([row])
        row.secret = code  # type: ignore[attr-defined]
        return row

    @acts(_("Pair a tablet"), Nothing, gives=NewKioskShape, once=False, refuses=[404, 409])
    def pair(self, pk: UUID, data: dict[str, Any]) -> Kiosk:
        """Make a new code for a kiosk, by which a tablet becomes it for another 90 days. The tablet that is
        the kiosk now stays so until then."""
        row, code = kiosk_pair(self.by, kiosk_id=pk)
        self.prepared([row])
        row.secret = code  # type: ignore[attr-defined]
        return row

    @reads(_("A kiosk"))
    def detail(self, pk: UUID) -> None:
        """Return a kiosk. Only the host's managers and administrators may read it."""

    @acts(_("Revoke a kiosk"), Nothing, refuses=[404])
    def revoke(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Revoke a kiosk at once and for good; doing so again changes nothing."""
        return kiosk_revoke(self.by, kiosk_id=pk).pk


class CheckInCodes(ReservationResource):
    @acts(_("Create a code to check in at a kiosk"), Nothing, gives=CodeShape, once=False, refuses=REFUSES)
    def check_in_code(self, pk: UUID, data: dict[str, Any]) -> Any:
        """Make a code for checking in to your own booking at a kiosk, from 15 minutes before its start to its
        end. It can be used once, within two minutes."""
        row, code = check_in_code(self.by, reservation_id=pk)
        return {"code": code, "expires_at": row.expires_at}
