"""A person's lists of instruments, which nobody else sees."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, changes, creates, lists, named, reads, removes
from accounts.api.shapes import Instant, Shape, Text
from bookings.browsing.domain.lists import LONGEST_NAME, LONGEST_NOTE
from bookings.browsing.models import InstrumentList, ListEntry
from bookings.browsing.selectors.lists import own_entries, own_entry, own_list, own_lists
from bookings.browsing.services import lists as list_services
from instruments.register.selectors.registry import instrument_to_book


class ListBody(Shape):
    name = Text(LONGEST_NAME)


class InstrumentListShape(serializers.Serializer[Any]):
    """A list of instruments. The list of favourites has an empty name. `count` is the number of its
    entries."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_favourites = serializers.BooleanField()
    count = serializers.IntegerField()
    created_at = Instant()
    version = serializers.IntegerField()


class InstrumentLists(Resource):
    for_persons = True
    at, key, name, many, tag = "lists/", "list_id", "list", "lists", "instruments"
    shape, write_scope, needs_person = InstrumentListShape, "book", True

    def visible(self, pk: UUID) -> InstrumentList:
        return own_list(self.actor, pk)

    @lists(_("Lists of instruments"))
    def rows(self, query: dict[str, Any]) -> QuerySet[InstrumentList]:
        """List your own lists, newest first."""
        return own_lists(self.actor)

    @creates(_("Create a list"), ListBody, refuses=[409], sends={"name": "For the thesis"})
    def make(self, data: dict[str, Any]) -> UUID:
        """Create a list: at most fifty for each person, with at most 200 instruments in each."""
        return list_services.list_create(self.by, name=data["name"]).pk

    @reads(_("A list of instruments"))
    def row(self, pk: UUID) -> None:
        """Return one of your own lists."""

    @changes(_("Rename a list"), ListBody, refuses=[404, 409])
    def rename(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Rename a list; the favourites cannot be renamed."""
        list_services.list_rename(self.by, list_id=pk, name=data["name"])
        return pk

    @removes(_("Delete a list"))
    def remove(self, pk: UUID) -> None:
        """Delete a list with its entries and their notes."""
        list_services.list_delete(self.by, list_id=pk)


class EntriesQuery(Pages):
    list = serializers.UUIDField(required=False, help_text="Id of a list: only its entries.")


class EntryBody(Shape):
    instrument = serializers.UUIDField()
    list = serializers.UUIDField(required=False, help_text="Id of the list; default: the favourites.")
    note = Text(LONGEST_NOTE, default="", allow_blank=True)


class NoteBody(Shape):
    note = Text(LONGEST_NOTE, allow_blank=True)


class ListEntryShape(serializers.Serializer[Any]):
    """An instrument in a list. `name` and `name_zh` are its present names if you may still see it
    (`is_shown`), otherwise those it had when it was added."""

    id = serializers.UUIDField()
    list = serializers.UUIDField(source="list_id")
    instrument = serializers.UUIDField(source="instrument_id")
    name = serializers.CharField(source="now_called.name")
    name_zh = serializers.CharField(source="now_called.name_zh")
    is_shown = serializers.BooleanField()
    note = serializers.CharField()
    created_at = Instant()
    version = serializers.IntegerField()


class ListEntries(Resource):
    for_persons = True
    at, key, name, many = "lists/entries/", "entry_id", "list_entry", "list_entries"
    tag, shape, write_scope, needs_person = "instruments", ListEntryShape, "book", True

    def visible(self, pk: UUID) -> ListEntry:
        return own_entry(self.actor, pk)

    @lists(_("Instruments in lists"), EntriesQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[ListEntry]:
        """List the entries of your own lists, newest first."""
        rows = own_entries(self.actor)
        return rows.filter(list=query["list"]) if query.get("list") else rows

    @creates(
        _("Add an instrument to a list"),
        EntryBody,
        refuses=[409],
        sends={"instrument": "01a21fdb-fd54-7514-bd43-c353e944b889", "note": "Has a cryo holder."},
    )
    def keep(self, data: dict[str, Any]) -> UUID:
        """Add an instrument to a list. If it is there already, nothing changes."""
        instrument = named("instrument", instrument_to_book, self.actor, data["instrument"])
        list_id = named("list", own_list, self.actor, data["list"]).pk if "list" in data else None
        return list_services.entry_keep(
            self.by, instrument_id=instrument.pk, list_id=list_id, note=data["note"]
        ).pk

    @reads(_("An instrument in a list"))
    def row(self, pk: UUID) -> None:
        """Return an entry with its note."""

    @changes(_("Add a note to an instrument"), NoteBody)
    def note(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace the note of an entry."""
        list_services.entry_note(self.by, entry_id=pk, note=data["note"])
        return pk

    @removes(_("Remove an instrument from a list"))
    def remove(self, pk: UUID) -> None:
        """Remove an entry for good, with its note."""
        list_services.entry_remove(self.by, entry_id=pk)
