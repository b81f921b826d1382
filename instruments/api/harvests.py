"""Harvests: files fetched from an address on a timetable, and what became of each fetching."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import (
    Resource,
    acts,
    changes,
    creates,
    lists,
    named,
    parts,
    reads,
    removes,
)
from accounts.api.shapes import Choice, Flag, Instant, Nothing, Shape, Text, Whole
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
    problem = ProblemShape(allow_null=True, say=harvest_sentence)
    size = serializers.IntegerField(allow_null=True)
    import_id = serializers.UUIDField(source="job_id", allow_null=True)


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


class Harvests(Resource):
    at, key, name, many, tag = "harvests/", "harvest_id", "harvest", "harvests", "imports"
    shape, order = HarvestShape, ("name", "id")
    needs_person = True

    def visible(self, pk: UUID) -> Harvest:
        return harvest_by_id(self.actor, pk)

    @lists(_("Harvests"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Harvest]:
        """Those of the organisations whose instruments one manages, by name."""
        return harvests_for(self.actor)

    @creates(
        _("Set up a harvest"),
        HarvestBody,
        named="_add",
        once=False,
        sends={"organisation": "hefei-materials", **_EXAMPLE},
    )
    def add(self, data: dict[str, Any]) -> UUID:
        """For the organisation's managers. It is fetched at once, then on the timetable; each file
        that is new becomes an import, to be looked at or, with `applies`, carried out by itself."""
        organisation = named("organisation", organisation_by_code, data.pop("organisation"))
        return harvest_add(self.by, organisation_id=organisation.pk, plan=Plan(**data)).pk

    @reads(_("One harvest"))
    def detail(self, pk: UUID) -> None:
        """How it stands."""

    @changes(_("Change a harvest"), PlanBody, method="put", sends=_EXAMPLE)
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """A field that is not named takes its default. From then on it has the rights of whoever
        changed it."""
        harvest_change(self.by, harvest_id=pk, plan=Plan(**data))

    @removes(_("Delete a harvest"))
    def remove(self, pk: UUID) -> None:
        """Imports stay, and keep its name."""
        harvest_delete(self.by, harvest_id=pk)

    @acts(_("Fetch now"), Nothing, versioned=False, once=False)
    def fetch(self, pk: UUID, data: dict[str, Any]) -> None:
        """Within seconds, by a worker; `fetchings/` says what came of it. While it is fetched,
        asking again changes nothing."""
        harvest_fetch(self.by, harvest_id=pk)

    @acts(_("Pause a harvest"), Nothing, once=False)
    def pause(self, pk: UUID, data: dict[str, Any]) -> None:
        """What is being fetched at this moment is not kept."""
        harvest_pause(self.by, harvest_id=pk)

    @acts(_("Resume a harvest"), Nothing, once=False)
    def resume(self, pk: UUID, data: dict[str, Any]) -> None:
        """It is fetched at once, then on its timetable."""
        harvest_resume(self.by, harvest_id=pk)

    @parts(_("Runs of a harvest"), FetchingShape, order=("-at", "-id"))
    def fetchings(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Fetching]:
        """Every time that the address was asked, the latest first, and what came of it."""
        return fetchings_of(self.visible(pk))
