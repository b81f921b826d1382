"""Harvests: files fetched from an address on a timetable, and what became of each fetching."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Flag, Instant, Nothing, Shape, Text, Whole, asked, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.selectors.organisations import organisation_by_code
from instruments.api.imports import ProblemShape
from instruments.domain.harvests import LONGEST_NAME, Plan
from instruments.messages import harvest_sentence
from instruments.models import Fetching, Harvest, Import
from instruments.selectors.harvests import fetchings_of, harvest_by_id, harvests_for
from instruments.services.harvests import (
    harvest_add,
    harvest_change,
    harvest_delete,
    harvest_fetch,
    harvest_pause,
    harvest_resume,
)

# Answers


class HarvestShape(serializers.Serializer[Any]):
    """What is fetched, when, and how it stands."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField()
    address = serializers.CharField()
    format = serializers.ChoiceField(Import.Format.choices)
    encoding = serializers.CharField()
    mapping = serializers.CharField(help_text="The name of the mapping.")
    facility = serializers.CharField()
    hand_changes = serializers.ChoiceField(Import.HandChanges.choices)
    applies = serializers.BooleanField()
    rhythm = serializers.ChoiceField(Harvest.Rhythm.choices)
    weekday = serializers.IntegerField(allow_null=True)
    hour = serializers.IntegerField()
    state = serializers.ChoiceField(Harvest.State.choices)
    due_at = Instant(allow_null=True, help_text="When it is fetched next.")
    failures = serializers.IntegerField(help_text="Failures in a row; after five it pauses.")
    last_at = Instant(allow_null=True)
    last_outcome = serializers.ChoiceField(Fetching.Outcome.choices, allow_null=True)
    user = serializers.UUIDField(source="user_id", help_text="Whose rights it has.")
    created_at = Instant()
    version = serializers.IntegerField()


class FetchingShape(serializers.Serializer[Any]):
    """One time that the address was asked."""

    id = serializers.UUIDField()
    at = Instant()
    outcome = serializers.ChoiceField(Fetching.Outcome.choices)
    problem = ProblemShape(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    import_id = serializers.UUIDField(allow_null=True)


def _one(actor: Any, harvest_id: UUID, status: int = 200) -> Response:
    harvest = harvest_by_id(actor, harvest_id)
    headers = etag(harvest.version)
    if status == 201:
        headers["Location"] = reverse("api-harvest", kwargs={"harvest_id": harvest_id})
    return Response(HarvestShape(harvest).data, status=status, headers=headers)


def _fetching_json(fetching: Fetching) -> dict[str, Any]:
    problem = fetching.problem
    shown = {name: getattr(fetching, name) for name in ("id", "at", "outcome", "size")}
    if problem:
        said = harvest_sentence(problem["code"], problem["numbers"])
        problem = {**problem, "message": said}
    return dict(
        FetchingShape(shown | {"problem": problem or None, "import_id": fetching.job_id}).data
    )


# Requests


class PlanBody(Shape):
    """`weekday` (1 is Monday) is needed where the rhythm is weekly; `hour` is of the wall clock
    where the organisation is."""

    name = Text(LONGEST_NAME)
    address = Text(1000, help_text="Of the file, with https.")
    format = Choice(Import.Format.choices)
    encoding = Text(40, default="utf-8")
    mapping = Text(
        80, default="", allow_blank=True, help_text="For tables: the name of a saved mapping."
    )
    facility = Text(200, default="", allow_blank=True, help_text="One for all rows.")
    hand_changes = Choice(Import.HandChanges.choices, default=Import.HandChanges.KEEP.value)
    applies = Flag(default=False, help_text="Run automatically where no row would be refused.")
    rhythm = Choice(Harvest.Rhythm.choices, default=Harvest.Rhythm.DAILY.value)
    weekday = Whole(min_value=1, max_value=7, allow_null=True, default=None)
    hour = Whole(min_value=0, max_value=23, default=3)


class HarvestBody(PlanBody):
    organisation = Text(40, help_text="Its code.")


_EXAMPLE = {
    "name": "Register of the faculty",
    "address": "https://register.example/instruments.csv",
    "format": "table",
    "rhythm": "weekly",
    "weekday": 1,
    "hour": 3,
}


class Harvests(Endpoint):
    needs_person = True

    @operation("harvests", _("Harvests"), tag="imports", query=Pages, gives=page(HarvestShape))
    def get(self, request: Request) -> Response:
        """Those of the organisations whose instruments one manages, by name."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            harvests_for(self.actor),
            query,
            ("name", "id"),
            lambda found: HarvestShape(found, many=True).data,
        )

    @operation(
        "harvest_add",
        _("Set up a harvest"),
        tag="imports",
        takes=HarvestBody,
        gives=HarvestShape,
        status=201,
        sends={"organisation": "hefei-materials", **_EXAMPLE},
    )
    def post(self, request: Request) -> Response:
        """For the organisation's managers. It is fetched at once, then on the timetable; each file
        that is new becomes an import, to be looked at or, with `applies`, carried out by itself."""
        data = checked(HarvestBody, request.data)
        try:
            organisation = organisation_by_code(data.pop("organisation"))
        except NotFound:
            raise invalid("organisation", "unknown-value") from None
        made = harvest_add(
            actor=self.actor, organisation_id=organisation.pk, plan=Plan(**data), now=self.now
        )
        return _one(self.actor, made.pk, status=201)


class HarvestDetail(Endpoint):
    needs_person = True

    @operation("harvest", _("One harvest"), tag="imports", gives=HarvestShape, refuses=[404])
    def get(self, request: Request, harvest_id: UUID) -> Response:
        """How it stands."""
        return _one(self.actor, harvest_id)

    @operation(
        "harvest_change",
        _("Change a harvest"),
        tag="imports",
        takes=PlanBody,
        gives=HarvestShape,
        refuses=[404],
        versioned=True,
        sends=_EXAMPLE,
    )
    def put(self, request: Request, harvest_id: UUID) -> Response:
        """A field that is not named takes its default. From then on it has the rights of whoever
        changed it."""
        expected = expected_version(request)
        data = checked(PlanBody, request.data)
        harvest_change(
            actor=self.actor,
            harvest_id=harvest_id,
            plan=Plan(**data),
            expected_version=expected,
            now=self.now,
        )
        return _one(self.actor, harvest_id)

    @operation(
        "harvest_delete",
        _("Delete a harvest"),
        tag="imports",
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, harvest_id: UUID) -> Response:
        """Imports stay, and keep its name."""
        harvest_delete(
            actor=self.actor,
            harvest_id=harvest_id,
            expected_version=expected_version(request),
            now=self.now,
        )
        return Response(status=204)


class HarvestFetch(Endpoint):
    needs_person = True

    @operation(
        "harvest_fetch",
        _("Fetch now"),
        tag="imports",
        takes=Nothing,
        gives=HarvestShape,
        refuses=[404, 409],
    )
    def post(self, request: Request, harvest_id: UUID) -> Response:
        """Within seconds, by a worker; `fetchings/` says what came of it. While it is fetched,
        asking again changes nothing."""
        checked(Nothing, request.data)
        harvest_fetch(actor=self.actor, harvest_id=harvest_id, now=self.now)
        return _one(self.actor, harvest_id)


class HarvestPause(Endpoint):
    needs_person = True

    @operation(
        "harvest_pause",
        _("Pause a harvest"),
        tag="imports",
        takes=Nothing,
        gives=HarvestShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, harvest_id: UUID) -> Response:
        """What is being fetched at this moment is not kept."""
        expected = expected_version(request)
        checked(Nothing, request.data)
        harvest_pause(
            actor=self.actor, harvest_id=harvest_id, expected_version=expected, now=self.now
        )
        return _one(self.actor, harvest_id)


class HarvestResume(Endpoint):
    needs_person = True

    @operation(
        "harvest_resume",
        _("Resume a harvest"),
        tag="imports",
        takes=Nothing,
        gives=HarvestShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, harvest_id: UUID) -> Response:
        """It is fetched at once, then on its timetable."""
        expected = expected_version(request)
        checked(Nothing, request.data)
        harvest_resume(
            actor=self.actor, harvest_id=harvest_id, expected_version=expected, now=self.now
        )
        return _one(self.actor, harvest_id)


class HarvestFetchings(Endpoint):
    needs_person = True

    @operation(
        "harvest_fetchings",
        _("Runs of a harvest"),
        tag="imports",
        query=Pages,
        gives=page(FetchingShape),
        refuses=[404],
    )
    def get(self, request: Request, harvest_id: UUID) -> Response:
        """Every time that the address was asked, the latest first, and what came of it."""
        query = asked(Pages, request.query_params)
        found = fetchings_of(harvest_by_id(self.actor, harvest_id))
        return paginated(
            request, found, query, ("-at", "-id"), lambda rows: [*map(_fetching_json, rows)]
        )
