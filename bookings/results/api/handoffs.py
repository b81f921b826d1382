"""Hand-offs of results, what instruments promise of them, and what hosts may keep."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, parts, reads
from accounts.api.shapes import Choice, Instant, ListOf, ReasonBody, Shape, Text, Whole
from bookings.results.domain.handoffs import MOST_DUE_DAYS, MOST_KEEP_DAYS
from bookings.results.models import HandOff, HostStorage, ResultFile, ResultTerms
from bookings.results.selectors.handoffs import (
    files_for,
    hand_off_by_id,
    hand_offs_for,
    hand_offs_of,
    sees_files,
    storage_for,
    storages_for,
    terms_for,
    with_sizes,
)
from bookings.results.services.handoffs import (
    PROTOCOLS,
    hand_off_make,
    hand_off_point,
    hand_off_release,
    hand_off_seal,
    hand_off_withdraw,
    result_terms_set,
    storage_set,
)
from instruments.models import Instrument


class HandOffQuery(Pages):
    reservation = serializers.UUIDField(required=False, help_text="Of this booking alone.")
    state = serializers.ChoiceField(HandOff.State.choices, required=False)


class HandOffBody(Shape):
    reservation = serializers.UUIDField()


class NoteBody(Shape):
    note = Text(1000, default="", allow_blank=True, help_text="For those who collect them.")


class PointerBody(NoteBody):
    protocol = Choice([(name, name) for name in PROTOCOLS])
    host = Text(253)
    path = Text(1000)
    checksums = Text(
        20000, default="", allow_blank=True, help_text="Lines as `sha256sum` writes them."
    )


class EntryShape(serializers.Serializer[Any]):
    """A file of a manifest."""

    path = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class PointerShape(serializers.Serializer[Any]):
    """Where results lie that stay with the host."""

    protocol = serializers.CharField(source="pointer_protocol")
    host = serializers.CharField(source="pointer_host")
    path = serializers.CharField(source="pointer_path")
    checksums = serializers.CharField(source="pointer_checksums")


class HandOffShape(serializers.Serializer[Any]):
    """The results of a booking. `manifest` and `pointer` are empty until they are released, except
    for the host."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.CharField(source="reservation.instrument.name")
    host = serializers.CharField(source="host.code")
    state = serializers.ChoiceField(HandOff.State.choices)
    due_at = Instant()
    files = serializers.IntegerField(source="file_count")
    bytes = serializers.IntegerField(source="bytes_total")
    bytes_received = serializers.IntegerField(source="bytes_here")
    manifest = EntryShape(many=True, source="shown_manifest")
    manifest_digest = serializers.CharField()
    sealed_at = Instant(allow_null=True)
    released_at = Instant(allow_null=True)
    collected_at = Instant(allow_null=True)
    retain_until = Instant(allow_null=True)
    pointer = PointerShape(source="shown_pointer", allow_null=True)
    note = serializers.CharField()
    created_at = Instant()
    version = serializers.IntegerField()


class ResultFileShape(serializers.Serializer[Any]):
    """A file; `upload` is where the tus protocol goes on with it."""

    id = serializers.UUIDField()
    path = serializers.CharField()
    size = serializers.IntegerField()
    received = serializers.IntegerField()
    sha256_stated = serializers.CharField()
    sha256 = serializers.CharField()
    state = serializers.ChoiceField(ResultFile.State.choices)
    upload = serializers.SerializerMethodField()
    created_at = Instant()
    expires_at = Instant(allow_null=True)

    def get_upload(self, row: ResultFile) -> str:
        return f"/api/v1/uploads/{row.pk}/"


class Results(Resource):
    at, key, name, many, tag = "results/", "hand_off_id", "result", "results", "results"
    shape, needs_person = HandOffShape, True

    def visible(self, pk: UUID) -> HandOff:
        return hand_off_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        sized = with_sizes(HandOff.objects.filter(pk__in=[row.pk for row in rows]))
        sizes = {row.pk: row for row in sized}
        for row in rows:
            for name in ("file_count", "bytes_total", "bytes_here"):
                setattr(row, name, getattr(sizes[row.pk], name))
            is_told = sees_files(self.actor, row)
            row.shown_manifest = row.manifest if is_told else []
            row.shown_pointer = row if row.pointer_protocol and is_told else None
        return rows

    @lists(_("Results of bookings"), HandOffQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[HandOff]:
        """Hand-offs of the bookings that one may see: one's own, those one's organisation pays or
        hosts; the newest first."""
        return hand_offs_of(hand_offs_for(self.actor), query)

    @creates(_("Announce results of a booking"), HandOffBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Before the booking is over, for the host's managers; where they are expected already,
        that is answered. Afterwards hand-offs come by themselves, as the instrument's terms say."""
        return hand_off_make(self.by, reservation_id=data["reservation"]).pk

    @reads(_("Results of one booking"))
    def detail(self, pk: UUID) -> None:
        """As they are now."""

    @parts(_("Files of a hand-off"), ResultFileShape, order=("path_key", "id"), named="_files")
    def files(self, pk: UUID, query: dict[str, Any]) -> QuerySet[ResultFile]:
        """For the host all of them, with how much has come; for the others once they are
        released. They are uploaded by the tus protocol (`POST uploads/`)."""
        return files_for(self.actor, self.visible(pk))

    @acts(_("Seal results"))
    def seal(self, pk: UUID, data: Any = None) -> UUID:
        """What was uploaded is what will be collected. `files-not-ready` unless every file is
        complete, checked, and as its sender stated it."""
        return hand_off_seal(self.by, hand_off_id=pk).pk

    @acts(_("Release results"), NoteBody)
    def release(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Those whom they are for may collect them, and are told."""
        return hand_off_release(self.by, hand_off_id=pk, **data).pk

    @acts(_("Point to results at the host"), PointerBody)
    def point(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For what is too large to be uploaded: where it lies, and its checksums."""
        return hand_off_point(self.by, hand_off_id=pk, **data).pk

    @acts(_("Withdraw results"), ReasonBody)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Takes back what was uploaded or released by mistake; its files are deleted."""
        return hand_off_withdraw(self.by, hand_off_id=pk, **data).pk


class TermsShape(serializers.Serializer[Any]):
    """What is promised of an instrument's results."""

    due_days = serializers.IntegerField(help_text="Days from the end of a booking.")
    keep_days = serializers.IntegerField(help_text="Days from the release.")
    modes = serializers.ListField(
        child=serializers.CharField(), help_text="After which results are expected."
    )


class TermsBody(Shape):
    due_days = Whole(min_value=1, max_value=MOST_DUE_DAYS)
    keep_days = Whole(min_value=1, max_value=MOST_KEEP_DAYS)
    modes = ListOf(child=Choice(Instrument.ServiceMode.choices))


class ResultTermsOf(Resource):
    at, key, tag = "instruments/", "instrument_id", "results"
    name, many, shape = "result_terms", "result_terms_all", TermsShape

    def visible(self, pk: UUID) -> ResultTerms:
        return terms_for(self.actor, pk)

    @reads(
        _("What is promised of an instrument's results"),
        below="result-terms",
        address="api-result-terms",
    )
    def detail(self, pk: UUID) -> None:
        """In how many days they are handed over, how long they are kept, and after which service
        modes they are expected."""

    @acts(
        _("Say what is promised of an instrument's results"),
        TermsBody,
        method="put",
        below="result-terms",
        address="api-result-terms",
        named="_set",
        versioned=False,
        once=False,
    )
    def set_terms(self, pk: UUID, data: dict[str, Any]) -> ResultTerms:
        """For the host's managers. What is announced or released already stays as it is."""
        return result_terms_set(self.by, instrument_id=pk, **data)


class StorageShape(serializers.Serializer[Any]):
    """What a host keeps here, in bytes; `quota` null: as usual."""

    organisation = serializers.CharField(source="organisation.code")
    quota = serializers.IntegerField(allow_null=True)
    reserved = serializers.IntegerField(help_text="Of all files, complete or not.")


class StorageBody(Shape):
    quota = Whole(min_value=0, max_value=2**60 - 1, allow_null=True)


class ResultStorage(Resource):
    at, key, tag = "result-storage/", "organisation_id", "results"
    name, many, shape = "result_storage", "result_storages", StorageShape
    order, needs_person = ("organisation_id",), True

    def visible(self, pk: UUID) -> HostStorage:
        return storage_for(self.actor, pk)

    @lists(_("Storage for results"))
    def rows(self, query: dict[str, Any]) -> QuerySet[HostStorage]:
        """Of hosts whose managers ask, and for administrators of all that have any."""
        return storages_for(self.actor)

    @reads(_("A host's storage for results"))
    def detail(self, pk: UUID) -> None:
        """How much it keeps, and may."""

    @changes(_("Set a host's storage for results"), StorageBody, versioned=False)
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For administrators. What is there stays, also where it is more."""
        storage_set(self.by, organisation_id=pk, quota=data["quota"])
        return pk
