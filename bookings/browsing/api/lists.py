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
from bookings.browsing.services.lists import (
    entry_keep,
    entry_note,
    entry_remove,
    list_create,
    list_delete,
    list_rename,
)
from instruments.selectors.registry import instrument_to_book


class ListBody(Shape):
    name = Text(LONGEST_NAME)


class InstrumentListShape(serializers.Serializer[Any]):
    """A list; the favourites have an empty name. `count`: of its entries."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_favourites = serializers.BooleanField()
    count = serializers.IntegerField()
    created_at = Instant()
    version = serializers.IntegerField()


class InstrumentLists(Resource):
    at, key, name, many, tag = "lists/", "list_id", "list", "lists", "instruments"
    shape, write_scope, needs_person = InstrumentListShape, "book", True

    def visible(self, pk: UUID) -> InstrumentList:
        return own_list(self.actor, pk)

    @lists(_("Lists of instruments"))
    def rows(self, query: dict[str, Any]) -> QuerySet[InstrumentList]:
        """One's own, the newest first."""
        return own_lists(self.actor)

    @creates(_("Make a list"), ListBody, refuses=[409], sends={"name": "For the thesis"})
    def make(self, data: dict[str, Any]) -> UUID:
        """Fifty a person; each keeps at most 200 instruments."""
        return list_create(self.by, name=data["name"]).pk

    @reads(_("A list of instruments"))
    def row(self, pk: UUID) -> None:
        """One's own."""

    @changes(_("Rename a list"), ListBody, refuses=[404, 409])
    def rename(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """The favourites keep their name."""
        list_rename(self.by, list_id=self.meant(pk).pk, name=data["name"])
        return pk

    @removes(_("Delete a list"))
    def remove(self, pk: UUID) -> None:
        """With its entries and their notes."""
        list_delete(self.by, list_id=self.meant(pk).pk)


class EntriesQuery(Pages):
    list = serializers.UUIDField(required=False, help_text="Only those of one list.")


class EntryBody(Shape):
    instrument = serializers.UUIDField()
    list = serializers.UUIDField(required=False, help_text="Unless named: the favourites.")
    note = Text(LONGEST_NOTE, default="", allow_blank=True)


class NoteBody(Shape):
    note = Text(LONGEST_NOTE, allow_blank=True)


class ListEntryShape(serializers.Serializer[Any]):
    """An instrument in a list; `name` and `name_zh` as it was called when it was kept, and as it is
    called now where the person may still see it (`is_shown`)."""

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
    at, key, name, many = "lists/entries/", "entry_id", "list_entry", "list_entries"
    tag, shape, write_scope, needs_person = "instruments", ListEntryShape, "book", True

    def visible(self, pk: UUID) -> ListEntry:
        return own_entry(self.actor, pk)

    @lists(_("Instruments in lists"), EntriesQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[ListEntry]:
        """Those of one's own lists, the newest first."""
        rows = own_entries(self.actor)
        return rows.filter(list=query["list"]) if query.get("list") else rows

    @creates(
        _("Keep an instrument in a list"),
        EntryBody,
        refuses=[409],
        sends={"instrument": "01a21fdb-fd54-7514-bd43-c353e944b889", "note": "Has a cryo holder."},
    )
    def keep(self, data: dict[str, Any]) -> UUID:
        """One that is there already stays as it is."""
        instrument = named("instrument", instrument_to_book, self.actor, data["instrument"])
        list_id = named("list", own_list, self.actor, data["list"]).pk if "list" in data else None
        return entry_keep(
            self.by, instrument_id=instrument.pk, list_id=list_id, note=data["note"]
        ).pk

    @reads(_("An instrument in a list"))
    def row(self, pk: UUID) -> None:
        """With its note."""

    @changes(_("Note something beside an instrument"), NoteBody)
    def note(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Instead of the note that is there."""
        entry_note(self.by, entry_id=self.meant(pk).pk, note=data["note"])
        return pk

    @removes(_("Take an instrument out of a list"))
    def remove(self, pk: UUID) -> None:
        """For ever, with its note."""
        entry_remove(self.by, entry_id=self.meant(pk).pk)
