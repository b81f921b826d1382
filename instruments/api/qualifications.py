"""Certificates that people may operate instruments alone."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Day, Instant, Shape, Text, asked, checked, rfc3339
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.models import Organisation, User
from accounts.selectors.organisations import organisation_by_code
from instruments.domain.opening import local_date
from instruments.models import Instrument, Qualification, Technique
from instruments.selectors.qualifications import (
    load_certificate,
    of_person,
    person_to_certify,
    qualification_by_id,
    qualifications_for,
    valid_on,
    zone_of,
)
from instruments.selectors.registry import instrument_by_id, techniques_by_code
from instruments.services.qualifications import qualification_grant, qualification_revoke

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
    "note": "Introduction on 5 March",
    "granted_by": {"id": "0197a1de-0000-7000-8000-000000000004", "name": "Zhao Min"},
    "granted_at": "2026-03-06T02:00:00Z",
    "revoked_by": None,
    "revoked_at": None,
    "reason": None,
    "version": 1,
}


class CertifiedPersonShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class QualificationShape(serializers.Serializer[Any]):
    """A certificate of one instrument (its id), or of a technique (its code) wherever the
    issuer's instruments ask for it. Days are local and inclusive; `reason` is why it was
    revoked."""

    id = serializers.UUIDField()
    user = CertifiedPersonShape()
    instrument = serializers.UUIDField(allow_null=True)
    technique = serializers.CharField(allow_null=True)
    issuer = serializers.CharField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    note = serializers.CharField()
    granted_by = CertifiedPersonShape()
    granted_at = Instant()
    revoked_by = CertifiedPersonShape(allow_null=True)
    revoked_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    version = serializers.IntegerField()


class QualificationBody(Shape):
    """Name an instrument or a technique."""

    user = Text(254, help_text="Who may operate it: an id or e-mail address.")
    instrument = serializers.UUIDField(required=False, allow_null=True)
    technique = Text(60, required=False, allow_null=True, help_text="Its code.")
    issuer = Text(
        30,
        required=False,
        allow_null=True,
        help_text="The code of the organisation that certifies; the instrument's host unless "
        "named, and for an instrument nobody else.",
    )
    valid_from = Day(required=False, allow_null=True, help_text="Today, unless named.")
    valid_until = Day(required=False, allow_null=True, help_text="The last day. Null: no end.")
    note = Text(500, default="", allow_blank=True)


class RevokeBody(Shape):
    reason = Text(500, help_text="The person reads it.")


class QualificationQuery(Pages):
    user = Text(254, default="", help_text="The person's id or e-mail address.")
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", help_text="Its code.")
    valid_on = Day(required=False, help_text="Only those valid all through that day.")


class QualificationEndpoint(Endpoint):
    """What the addresses of certificates share."""

    needs_person = True

    def shown(self, row: Qualification) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "user": _person(row.user),
            "instrument": str(row.instrument_id) if row.instrument_id else None,
            "technique": row.technique.code if row.technique else None,
            "issuer": row.issuer.code,
            "valid_from": row.valid_from.isoformat(),
            "valid_until": row.valid_until.isoformat() if row.valid_until else None,
            "state": load_certificate(row).state(zone_of(row), self.now),
            "note": row.note,
            "granted_by": _person(row.granted_by),
            "granted_at": rfc3339(row.granted_at),
            "revoked_by": _person(row.revoked_by) if row.revoked_by else None,
            "revoked_at": rfc3339(row.revoked_at) if row.revoked_at else None,
            "reason": row.reason or None,
            "version": row.version,
        }

    def one(self, qualification_id: UUID, status: int = 200) -> Response:
        row = qualification_by_id(self.actor, qualification_id)
        headers = etag(row.version)
        if status == 201:
            named = {"qualification_id": row.pk}
            headers["Location"] = reverse("api-qualification", kwargs=named)
        return Response(self.shown(row), status=status, headers=headers)


class Qualifications(QualificationEndpoint):
    @operation(
        "qualifications",
        _("Qualifications"),
        tag="qualifications",
        query=QualificationQuery,
        gives=page(QualificationShape),
    )
    def get(self, request: Request) -> Response:
        """The newest first: one's own, for managers those their organisation issued, for
        auditors those of issuers in their regions."""
        query = asked(QualificationQuery, request.query_params)
        rows = qualifications_for(self.actor)
        if query["user"]:
            rows = of_person(rows, query["user"])
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        if query["technique"]:
            rows = rows.filter(technique__code=query["technique"])
        if "valid_on" in query:
            rows = valid_on(rows, query["valid_on"])
        return paginated(
            request,
            rows,
            query,
            ("-granted_at", "-id"),
            lambda found: [self.shown(row) for row in found],
        )

    @operation(
        "qualification_grant",
        _("Certify somebody"),
        tag="qualifications",
        takes=QualificationBody,
        gives=QualificationShape,
        status=201,
        refuses=[409],
        once=True,
        sends={
            "user": "wang.li@example.org",
            "instrument": EXAMPLE["instrument"],
            "valid_from": "2026-03-06",
            "valid_until": "2028-03-05",
            "note": EXAMPLE["note"],
        },
        answers=EXAMPLE,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For the issuer's managers: the person may operate one instrument, or the issuer's
        instruments that ask for a technique, alone. Nobody certifies themselves."""
        data = checked(QualificationBody, request.data)

        def grant() -> Response:
            instrument, technique, issuer = self._things(data)
            zone = ZoneInfo((instrument.facility if instrument else issuer.region).time_zone)
            made = qualification_grant(
                actor=self.actor,
                user=person_to_certify(self.actor, issuer, data["user"]),
                issuer=issuer,
                instrument=instrument,
                technique=technique,
                valid_from=data.get("valid_from") or local_date(zone, self.now),
                valid_until=data.get("valid_until"),
                note=data["note"],
                now=self.now,
            )
            return self.one(made.pk, status=201)

        return self.once(grant)

    def _things(
        self, data: dict[str, Any]
    ) -> tuple[Instrument | None, Technique | None, Organisation]:
        """The instrument or technique, and the issuer, that a request names."""
        named = data.get("instrument"), data.get("technique")
        if bool(named[0]) == bool(named[1]):
            raise invalid("instrument", "instrument-or-technique")
        instrument = technique = None
        try:
            if named[0]:
                instrument = instrument_by_id(self.actor, named[0])
            else:
                technique = techniques_by_code([str(named[1])])[0]
        except NotFound:
            name = "instrument" if named[0] else "technique"
            raise invalid(name, "unknown-value") from None
        code = data.get("issuer")
        if not code and instrument is None:
            raise invalid("issuer", "required")
        if not code and instrument is not None:
            return instrument, technique, instrument.organisation
        try:
            return instrument, technique, organisation_by_code(str(code))
        except NotFound:
            raise invalid("issuer", "unknown-value") from None


class QualificationDetail(QualificationEndpoint):
    @operation(
        "qualification",
        _("One qualification"),
        tag="qualifications",
        gives=QualificationShape,
        refuses=[404],
        answers=EXAMPLE,
    )
    def get(self, request: Request, qualification_id: UUID) -> Response:
        """For the person, the issuer's managers and the auditors of its region."""
        return self.one(qualification_id)


class QualificationRevoke(QualificationEndpoint):
    @operation(
        "qualification_revoke",
        _("Revoke a qualification"),
        tag="qualifications",
        takes=RevokeBody,
        gives=QualificationShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
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
    def post(self, request: Request, qualification_id: UUID) -> HttpResponseBase:
        """For the issuer's managers, with a reason. It ends at once; bookings stay, but checking
        in and approving ask for the qualification again."""
        expected, data = expected_version(request), checked(RevokeBody, request.data)

        def revoke() -> Response:
            qualification_by_id(self.actor, qualification_id)
            qualification_revoke(
                actor=self.actor,
                qualification_id=qualification_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(qualification_id)

        return self.once(revoke)


def _person(user: User) -> dict[str, str]:
    return {"id": str(user.pk), "name": str(user)}
