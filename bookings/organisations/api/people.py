"""Inviting people listed in a file."""

import base64
import binascii
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import TAG
from accounts.api.resource import named, rendered
from accounts.api.schema import RefusalShape, operation
from accounts.api.shapes import Flag, Shape, Text, checked
from accounts.domain.errors import invalid
from accounts.domain.people import PeopleReport, Verdict
from accounts.selectors.organisations import organisation_by_code
from accounts.services.people import people_invite
from bookings.organisations.adapters.register_files import people_of
from bookings.plans.domain.imports import MOST_BYTES
from bookings.record.api.shapes import FieldProblems
from bookings.record.messages import sentence


class PersonRowShape(serializers.Serializer[Any]):
    """The outcome of a row. `lacking`: roles of the row that a member does not hold, or that the open
    invitation does not include; the file does not grant them."""

    line = serializers.IntegerField(help_text="Line number in the file, from 1.")
    email = serializers.CharField()
    organisation = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    result = serializers.ChoiceField(
        [(verdict.value, verdict.value) for verdict in Verdict], source="verdict"
    )
    lacking = serializers.ListField(child=serializers.CharField())
    problems = FieldProblems()


class PeopleReportShape(serializers.Serializer[Any]):
    """Every row of the file, in its order. `refusals`: why this number of invitations cannot be sent
    today."""

    invited = serializers.IntegerField(help_text="Number of rows that invite a person.")
    unchanged = serializers.IntegerField(
        help_text="Number of rows whose person is a member or already invited."
    )
    refused = serializers.IntegerField()
    refusals = RefusalShape(many=True)
    rows = PersonRowShape(many=True)


class PeopleBody(Shape):
    organisation = Text(
        30, required=False, help_text="Code of the organisation; required unless each row names one."
    )
    file = Text(
        MOST_BYTES * 4 // 3 + 4,
        help_text="The table as CSV or .xlsx, encoded in base64; at most 700 kB and 1000 rows.",
    )
    dry_run = Flag(default=False, help_text="Only compute the result; no invitations are sent.")


class PeopleImport(Endpoint):
    needs_person = True

    @operation(
        "people_import",
        _("Invite people from a file"),
        tag=TAG,
        takes=PeopleBody,
        gives=PeopleReportShape,
        status=201,
        also={200: PeopleReportShape},
        refuses=[422],
        once=True,
        sends={
            "organisation": "hefei-materials",
            "file": "ZW1haWwscm9sZXMNCndhbmcubGlAZXhhbXBsZS5vcmcscmVzZWFyY2hlcg0K",
            "dry_run": True,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Invite the people of a table whose first line names its columns: `email`, and optionally `roles`
        (`researcher;manager;finance`; empty: researcher) and `organisation` (a code); Chinese names work as
        well. Everybody is invited by the rules for inviting them one by one, all of them or nobody. Members
        and people already invited are left alone, so the same file may be sent twice.

        With `dry_run` 200 and what would become of each row. Otherwise 201; 200 if nobody in the file was
        new; or 422 (`people-refused`) with all rows if some are refused or there are more than can be sent
        today.
        """
        data = checked(PeopleBody, request.data)
        try:
            rows = people_of(base64.b64decode(data["file"], validate=True))
        except (binascii.Error, ValueError):
            raise invalid("file", "not-base64") from None
        code = data.get("organisation")

        def act() -> Response:
            report = people_invite(
                self.by,
                rows=rows,
                organisation=named("organisation", organisation_by_code, code) if code else None,
                dry_run=data["dry_run"],
            )
            is_new = report.count(Verdict.INVITE) and not data["dry_run"]
            return Response(people_json(report), status=201 if is_new else 200)

        return self.once(act)


def people_json(report: PeopleReport) -> dict[str, Any]:
    limit, count = report.limit, report.count
    counts = {
        "invited": count(Verdict.INVITE),
        "unchanged": count(Verdict.MEMBER) + count(Verdict.INVITED),
        "refused": count(Verdict.REFUSED),
    }
    refusals = (
        [{"code": limit.code, "message": sentence(limit.code, limit.numbers), **limit.numbers}]
        if limit
        else []
    )
    rows = [rendered(PersonRowShape, outcome) for outcome in report.outcomes]
    return {**counts, "refusals": refusals, "rows": rows}
