"""The API for certificates that people may operate instruments alone."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Day, Instant, Shape, Text
from accounts.domain.errors import invalid
from accounts.models import Organisation
from accounts.selectors.organisations import organisation_by_code
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id, techniques_by_code
from instruments.training.models import Qualification
from instruments.training.selectors.qualifications import (
    load_certificate,
    load_replacing,
    of_person,
    person_to_certify,
    qualification_by_id,
    qualifications_for,
    valid_on,
    zone_of,
)
from instruments.training.services.qualifications import qualification_grant, qualification_revoke
from instruments.vocabulary.models import Technique

STATES = ("coming", "valid", "expired", "revoked")
EXAMPLE = {
    "id": "0197a1de-0000-7000-8000-000000000001",
    "user": {"id": "0197a1de-0000-7000-8000-000000000002", "name": "Wang Li"},
    "instrument": "0197a1de-0000-7000-8000-000000000003",
    "technique": None,
    "issuer": "hefei-materials",
    "valid_from": "2026-03-06",
    "valid_until": "2028-03-05",
    "state": "valid",
    "replaced_by": None,
    "note": "Introduction on 5 March",
    "granted_by": {"id": "0197a1de-0000-7000-8000-000000000004", "name": "Zhao Min"},
    "granted_at": "2026-03-06T02:00:00Z",
    "revoked_by": None,
    "revoked_at": None,
    "reason": None,
    "version": 1,
}


class QualificationShape(serializers.Serializer[Any]):
    """A certificate for one instrument (by id), or for a technique (by code) on all of the issuer's
    instruments that require it. Days are local and inclusive; `reason` is why it was revoked."""

    id = serializers.UUIDField()
    user = PersonShape()
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    technique = serializers.CharField(source="technique.code", allow_null=True)
    issuer = serializers.CharField(source="issuer.code")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    replaced_by = serializers.UUIDField(
        allow_null=True, help_text="A later certificate for the same thing, which has taken its place."
    )
    note = serializers.CharField()
    granted_by = PersonShape()
    granted_at = Instant()
    revoked_by = PersonShape(allow_null=True)
    revoked_at = Instant(allow_null=True)
    reason = serializers.CharField(source="why_revoked", allow_null=True)
    version = serializers.IntegerField()


class QualificationBody(Shape):
    """A certificate to grant, for either an instrument or a technique."""

    user = Text(254, help_text="Id or e-mail address of the person who may operate the instrument.")
    instrument = serializers.UUIDField(required=False, allow_null=True)
    technique = Text(60, required=False, allow_null=True, help_text="Code of the technique.")
    issuer = Text(
        30,
        required=False,
        allow_null=True,
        help_text="Code of the certifying organisation; default: the instrument's host. A certificate "
        "for one instrument can only come from its host.",
    )
    valid_from = Day(required=False, allow_null=True, help_text="Default: today.")
    valid_until = Day(
        required=False, allow_null=True, help_text="Last day on which it is valid. Null: no end."
    )
    note = Text(500, default="", allow_blank=True)


class RevokeBody(Shape):
    reason = Text(500, help_text="The person reads the reason.")


class QualificationQuery(Pages):
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", help_text="Code of the technique.")
    valid_on = Day(required=False, help_text="Only certificates valid for the whole of this day.")


def certified(
    endpoint: Endpoint, data: dict[str, Any], by: str
) -> tuple[Instrument | None, Technique | None, Organisation]:
    """Return the instrument or technique that a body names and the organisation that certifies: that in the
    field `by`, or else the instrument's host. The fields are removed from `data`."""
    instrument_id, technique_code = data.pop("instrument", None), data.pop("technique", None)
    code = data.pop(by, None)
    if bool(instrument_id) == bool(technique_code):
        raise invalid("instrument", "instrument-or-technique")
    instrument = technique = None
    if instrument_id:
        instrument = named("instrument", instrument_by_id, endpoint.actor, instrument_id)
    else:
        technique = named("technique", techniques_by_code, [technique_code])[0]
    if code:
        return instrument, technique, named(by, organisation_by_code, code)
    if instrument is None:
        raise invalid(by, "required")
    return instrument, technique, instrument.organisation


class Qualifications(Resource):
    at, key, tag = "qualifications/", "qualification_id", "qualifications"
    name, many = "qualification", "qualifications"
    shape, order = QualificationShape, ("-granted_at", "-id")
    needs_person = True

    def visible(self, pk: UUID) -> Qualification:
        return qualification_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        replaced = load_replacing(rows, self.now)
        for row in rows:
            row.replaced_by = replaced.get(row.pk)
            row.state = load_certificate(row).state(zone_of(row), self.now)
            row.why_revoked = row.reason or None
        return rows

    @lists(_("Qualifications"), QualificationQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Qualification]:
        """Lists certificates, the newest first: your own, for managers those that their organisation issued,
        for auditors those of issuers in their regions."""
        rows = qualifications_for(self.actor)
        if query["user"]:
            rows = of_person(rows, query["user"])
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["technique"]:
            rows = rows.filter(technique__code=query["technique"])
        return valid_on(rows, query["valid_on"]) if "valid_on" in query else rows

    @creates(
        _("Certify a person"),
        QualificationBody,
        named="_grant",
        refuses=[409],
        sends={
            "user": "wang.li@example.org",
            "instrument": EXAMPLE["instrument"],
            "valid_from": "2026-03-06",
            "valid_until": "2028-03-05",
            "note": EXAMPLE["note"],
        },
        answers=EXAMPLE,
    )
    def grant(self, data: dict[str, Any]) -> UUID:
        """Grants a certificate: the issuer's managers certify that a person may operate one instrument alone,
        or all of the issuer's instruments that require a technique. Nobody certifies themselves."""
        instrument, technique, issuer = certified(self, data, "issuer")
        zone = ZoneInfo((instrument.facility if instrument else issuer.region).time_zone)
        return qualification_grant(
            self.by,
            user=person_to_certify(self.actor, issuer, data["user"], instrument),
            issuer=issuer,
            instrument=instrument,
            technique=technique,
            valid_from=data.get("valid_from") or local_date(zone, self.now),
            valid_until=data.get("valid_until"),
            note=data["note"],
        ).pk

    @reads(_("A qualification"), answers=EXAMPLE)
    def detail(self, pk: UUID) -> None:
        """Returns one certificate. The person, the issuer's managers and the auditors of its region may read
        it."""

    @acts(
        _("Revoke a qualification"),
        RevokeBody,
        sends={"reason": "Left the group"},
        answers=EXAMPLE
        | {
            "state": "revoked",
            "revoked_by": EXAMPLE["granted_by"],
            "revoked_at": "2026-09-01T01:30:00Z",
            "reason": "Left the group",
            "version": 2,
        },
    )
    def revoke(self, pk: UUID, data: dict[str, Any]) -> None:
        """Revokes a certificate, with a reason, for the issuer's managers. It ends at once; bookings stay,
        but check-in and approval require the qualification again."""
        qualification_revoke(self.by, qualification_id=pk, **data)
