"""The API for harvests: files fetched from an address on a timetable, with the outcome of each fetching."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.resource import (
    OnPage,
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
from accounts.api.shapes import Choice, Flag, Instant, Nothing, Shape, Text, Whole, replaced_by
from accounts.domain.roles import By
from accounts.selectors.organisations import organisation_by_code
from instruments.exchange.api.imports import ProblemShape
from instruments.exchange.domain.harvests import LONGEST_NAME, Plan
from instruments.exchange.messages import harvest_sentence
from instruments.exchange.models import Fetching, Harvest, Import
from instruments.exchange.selectors.harvests import fetchings_of, harvest_by_id, harvests_for
from instruments.exchange.services import harvests

# Answers


class HarvestShape(serializers.Serializer[Any]):
    """A harvest: which file it fetches, when, and with which outcome."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField()
    address = serializers.CharField()
    format = serializers.ChoiceField(Import.Format.choices)
    encoding = serializers.CharField()
    mapping = serializers.CharField(help_text="Name of the mapping.")
    facility = serializers.CharField()
    hand_changes = serializers.ChoiceField(Import.HandChanges.choices)
    applies = serializers.BooleanField()
    rhythm = serializers.ChoiceField(Harvest.Rhythm.choices)
    weekday = serializers.IntegerField(allow_null=True)
    hour = serializers.IntegerField()
    state = serializers.ChoiceField(Harvest.State.choices)
    due_at = Instant(allow_null=True, help_text="When the file is fetched next.")
    failures = serializers.IntegerField(
        help_text="Number of consecutive failures; after five, the harvest pauses."
    )
    last_at = Instant(allow_null=True)
    last_outcome = serializers.ChoiceField(Fetching.Outcome.choices, allow_null=True)
    person = PersonShape(source="user", help_text="The person with whose rights the harvest runs.")
    user = serializers.UUIDField(source="user_id", style=replaced_by("person"))
    created_at = Instant()
    version = serializers.IntegerField()


class FetchingShape(serializers.Serializer[Any]):
    """One attempt to fetch the file of a harvest."""

    id = serializers.UUIDField()
    at = Instant()
    outcome = serializers.ChoiceField(Fetching.Outcome.choices)
    problem = ProblemShape(allow_null=True, say=harvest_sentence)
    size = serializers.IntegerField(allow_null=True)
    import_id = serializers.UUIDField(source="job_id", allow_null=True)


# Requests


class PlanBody(Shape):
    """A plan of a harvest. `weekday` (1 is Monday) is required if the rhythm is weekly; `hour` is in the
    organisation's local time."""

    name = Text(LONGEST_NAME)
    address = Text(1000, help_text="Address of the file, beginning with https.")
    format = Choice(Import.Format.choices)
    encoding = Text(40, default="utf-8")
    mapping = Text(80, default="", allow_blank=True, help_text="For tables: name of a saved mapping.")
    facility = Text(200, default="", allow_blank=True, help_text="One facility for all rows.")
    hand_changes = Choice(Import.HandChanges.choices, default=Import.HandChanges.KEEP.value)
    applies = Flag(default=False, help_text="Import automatically if no row would be refused.")
    rhythm = Choice(Harvest.Rhythm.choices, default=Harvest.Rhythm.DAILY.value)
    weekday = Whole(min_value=1, max_value=7, allow_null=True, default=None)
    hour = Whole(min_value=0, max_value=23, default=3)


class HarvestBody(PlanBody):
    organisation = Text(40, help_text="Code of the organisation.")


_EXAMPLE = {
    "name": "Register of the faculty",
    "address": "https://register.example/instruments.csv",
    "format": "table",
    "rhythm": "weekly",
    "weekday": 1,
    "hour": 3,
}


def _is_active(by: By, harvest: Harvest) -> bool:
    return harvest.state == Harvest.State.ACTIVE


def _is_paused(by: By, harvest: Harvest) -> bool:
    return harvest.state == Harvest.State.PAUSED


class Harvests(Resource):
    at, key, name, many, tag = "harvests/", "harvest_id", "harvest", "harvests", "imports"
    shape, order = HarvestShape, ("name", "id")
    needs_person, page_at = True, "manage/harvests/"

    def visible(self, pk: UUID) -> Harvest:
        return harvest_by_id(self.actor, pk)

    @lists(_("Harvests"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Harvest]:
        """Lists the harvests of organisations whose instruments you manage, by name."""
        return harvests_for(self.actor)

    @creates(
        _("Set up a harvest"),
        HarvestBody,
        named="_add",
        sends={"organisation": "hefei-materials", **_EXAMPLE},
    )
    def add(self, data: dict[str, Any]) -> UUID:
        """Adds a harvest. Only the organisation's managers may do this. The file is fetched at once, then on
        the timetable. Each new version becomes an import, which people review or which, with `applies`, runs
        automatically."""
        organisation = named("organisation", organisation_by_code, data.pop("organisation"))
        return harvests.harvest_add(self.by, organisation_id=organisation.pk, plan=Plan(**data)).pk

    @reads(_("A harvest"))
    def detail(self, pk: UUID) -> None:
        """Returns the harvest's plan, its state and its next fetching."""

    @changes(_("Change a harvest"), PlanBody, method="put", sends=_EXAMPLE)
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Replaces the plan: a field that is left out takes its default. From then on the harvest has the
        rights of whoever changed it."""
        harvests.harvest_change(self.by, harvest_id=pk, plan=Plan(**data))

    @OnPage(
        "instruments:harvest",
        _("Delete"),
        _("Deleted. Imported records stay."),
        _("Delete this harvest? Imported records stay."),
        to=lambda _: reverse("instruments:harvests"),
        below="delete",
    )
    @removes(_("Delete a harvest"))
    def remove(self, pk: UUID) -> None:
        """Deletes the harvest. Its imports stay and keep its name."""
        harvests.harvest_delete(self.by, harvest_id=pk)

    @OnPage(
        "instruments:harvest",
        _("Fetch now"),
        _("It is being fetched. Load this page again in a moment to see the result."),
        offered=_is_active,
    )
    @acts(_("Fetch now"), Nothing, versioned=False, once=False)
    def fetch(self, pk: UUID, data: dict[str, Any]) -> None:
        """Has a worker fetch the file within seconds; `fetchings/` shows the outcome. Sending this again in
        the meantime changes nothing."""
        harvests.harvest_fetch(self.by, harvest_id=pk)

    @OnPage("instruments:harvest", _("Pause"), _("Paused."), offered=_is_active)
    @acts(_("Pause a harvest"), Nothing, once=False)
    def pause(self, pk: UUID, data: dict[str, Any]) -> None:
        """Pauses a harvest: its file is not fetched until the harvest is resumed. A file that is being
        fetched at this moment is not kept."""
        harvests.harvest_pause(self.by, harvest_id=pk)

    @OnPage("instruments:harvest", _("Resume"), _("Resumed. It is being fetched."), offered=_is_paused)
    @acts(_("Resume a harvest"), Nothing, once=False)
    def resume(self, pk: UUID, data: dict[str, Any]) -> None:
        """Resumes a harvest: its file is fetched at once, then on the timetable."""
        harvests.harvest_resume(self.by, harvest_id=pk)

    @parts(_("Runs of a harvest"), FetchingShape, order=("-at", "-id"))
    def fetchings(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Fetching]:
        """Lists every attempt to fetch the file, the latest first, with its outcome."""
        return fetchings_of(self.visible(pk))
