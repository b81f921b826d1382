"""Deliveries of results, the terms of instruments for them, and the storage of hosts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, parts, reads
from accounts.api.shapes import Choice, Instant, ListOf, ReasonBody, Shape, Whole, replaced_by
from accounts.domain.roles import By
from bookings.record.api.lists import listed
from bookings.results.domain.handoffs import MOST_DUE_DAYS, MOST_KEEP_DAYS
from bookings.results.forms.handoffs import NoteBody, PointerBody, PointForm, ReleaseForm, WithdrawForm
from bookings.results.models import HandOff, HostStorage, ResultFile, ResultTerms
from bookings.results.selectors import handoffs
from bookings.results.services import handoffs as handoff_services
from instruments.register.models import Instrument


def _offers(act: str) -> Callable[[By, HandOff], bool]:
    return lambda by, hand_off: handoffs.offers(by.actor, hand_off, act)


class HandOffBody(Shape):
    reservation = serializers.UUIDField()


class EntryShape(serializers.Serializer[Any]):
    """A file in a manifest."""

    path = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class PointerShape(serializers.Serializer[Any]):
    """The place of results that stay with the host."""

    protocol = serializers.CharField(source="pointer_protocol")
    host = serializers.CharField(source="pointer_host")
    path = serializers.CharField(source="pointer_path")
    checksums = serializers.CharField(source="pointer_checksums")


class HandOffShape(serializers.Serializer[Any]):
    """The results of a booking. `manifest` and `pointer` are empty until they are released, except for the
    host."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.CharField(
        source="reservation.instrument.name", style=replaced_by("instrument_id", "instrument_name")
    )
    instrument_id = serializers.UUIDField(source="reservation.instrument_id")
    instrument_name = serializers.CharField(source="reservation.instrument.name")
    instrument_name_zh = serializers.CharField(source="reservation.instrument.name_zh")
    host = serializers.CharField(source="host.code")
    state = serializers.ChoiceField(HandOff.State.choices)
    due_at = Instant()
    files = serializers.IntegerField(source="file_count")
    bytes = serializers.IntegerField(source="bytes_total")
    bytes_received = serializers.IntegerField(source="bytes_here")
    manifest = EntryShape(many=True, source="shown_manifest")
    manifest_digest = serializers.CharField(
        source="shown_digest",
        help_text="What a recipient confirms: SHA-256 of the canonical JSON of `manifest`, or of `pointer`.",
    )
    sealed_at = Instant(allow_null=True)
    released_at = Instant(allow_null=True)
    collected_at = Instant(allow_null=True)
    retain_until = Instant(allow_null=True)
    pointer = PointerShape(source="shown_pointer", allow_null=True)
    note = serializers.CharField()
    created_at = Instant()
    version = serializers.IntegerField()
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class ResultFileShape(serializers.Serializer[Any]):
    """A file; `upload` is the address at which the tus protocol continues it."""

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
        return handoffs.hand_off_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        sized = handoffs.with_sizes(HandOff.objects.filter(pk__in=[row.pk for row in rows]))
        sizes = {row.pk: row for row in sized}
        for row in rows:
            for name in ("file_count", "bytes_total", "bytes_here"):
                setattr(row, name, getattr(sizes[row.pk], name))
            is_told = handoffs.sees_files(self.actor, row)
            row.shown_manifest = row.manifest if is_told else []
            row.shown_digest = handoffs.digest_of(row)
            row.shown_pointer = row if row.pointer_protocol and is_told else None
        return rows

    @listed(_("Results of bookings"), handoffs.RESULTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[HandOff]:
        """Return the deliveries of bookings that you may see: your own, and those your organisation pays or
        hosts; the newest first."""
        return handoffs.RESULTS.rows(self.actor)

    @creates(_("Announce results of a booking"), HandOffBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Announce results before the booking is over, as a manager of the host; if a delivery exists
        already, it is returned. After the booking, results are expected automatically if the instrument's
        terms say so."""
        return handoff_services.hand_off_make(self.by, reservation_id=data["reservation"]).pk

    @reads(_("Results of one booking"))
    def detail(self, pk: UUID) -> None:
        """Return a delivery as it is now."""

    @parts(_("Files of a delivery"), ResultFileShape, order=("path_key", "id"), named="_files")
    def files(self, pk: UUID, query: dict[str, Any]) -> QuerySet[ResultFile]:
        """Return the files of a delivery. The host sees all of them, with how much has arrived; others see
        them once they are released. Files are uploaded by the tus protocol (`POST uploads/`)."""
        return handoffs.files_for(self.actor, self.visible(pk))

    @OnPage(
        "bookings:result",
        _("Seal"),
        _("The files are sealed."),
        _("Seal these files? Afterwards none can be added, changed or removed."),
        offered=_offers("seal"),
    )
    @acts(_("Seal results"))
    def seal(self, pk: UUID, data: Any = None) -> UUID:
        """Seal the uploaded files, which become final: they are what will be collected. `files-not-ready`
        unless every file is complete, checked, and matches the checksum stated by its sender."""
        return handoff_services.hand_off_seal(self.by, hand_off_id=pk).pk

    @OnPage(
        "bookings:result",
        done=_("The results are released."),
        form=ReleaseForm,
        name="release_form",
        offered=_offers("release"),
    )
    @acts(_("Release results"), NoteBody)
    def release(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Release sealed results: recipients may collect them, and are notified."""
        return handoff_services.hand_off_release(self.by, hand_off_id=pk, **data).pk

    @OnPage(
        "bookings:result",
        done=_("Saved. The recipients of the results are told where to find them."),
        form=PointForm,
        name="point_form",
        offered=_offers("point"),
    )
    @acts(_("Point to results at the host"), PointerBody)
    def point(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Record where results are that are too large to upload and stay with the host, with their
        checksums."""
        return handoff_services.hand_off_point(self.by, hand_off_id=pk, **data).pk

    @OnPage(
        "bookings:result",
        done=_("The results are withdrawn."),
        form=WithdrawForm,
        name="withdraw_form",
        offered=_offers("withdraw"),
    )
    @acts(_("Withdraw results"), ReasonBody)
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Withdraw results that were uploaded or released by mistake; their files are deleted."""
        return handoff_services.hand_off_withdraw(self.by, hand_off_id=pk, **data).pk


class TermsShape(serializers.Serializer[Any]):
    """The terms of an instrument for its results."""

    due_days = serializers.IntegerField(
        help_text="Days after the end of a booking within which results are due."
    )
    keep_days = serializers.IntegerField(help_text="Days for which results are kept after their release.")
    modes = serializers.ListField(
        child=serializers.CharField(), help_text="Service modes after which results are expected."
    )


class TermsBody(Shape):
    due_days = Whole(min_value=1, max_value=MOST_DUE_DAYS)
    keep_days = Whole(min_value=1, max_value=MOST_KEEP_DAYS)
    modes = ListOf(child=Choice(Instrument.ServiceMode.choices))


class ResultTermsOf(Resource):
    at, key, tag = "instruments/", "instrument_id", "results"
    name, many, shape = "result_terms", "result_terms_all", TermsShape

    def visible(self, pk: UUID) -> ResultTerms:
        return handoffs.terms_for(self.actor, pk)

    @reads(_("Terms for an instrument's results"), below="result-terms", address="api-result-terms")
    def detail(self, pk: UUID) -> None:
        """Return the terms: in how many days results are delivered, how long they are kept, and after which
        service modes they are expected."""

    @acts(
        _("Set the terms for an instrument's results"),
        TermsBody,
        method="put",
        below="result-terms",
        address="api-result-terms",
        named="_set",
        versioned=False,
        once=False,
    )
    def set_terms(self, pk: UUID, data: dict[str, Any]) -> ResultTerms:
        """Set the terms of an instrument for its results. Only the host's managers may do this. Results that
        are announced or released already keep their terms."""
        return handoff_services.result_terms_set(self.by, instrument_id=pk, **data)


class StorageShape(serializers.Serializer[Any]):
    """The storage that a host uses here, in bytes. `quota` is null if the installation's usual limit
    applies."""

    organisation = serializers.CharField(source="organisation.code")
    quota = serializers.IntegerField(allow_null=True)
    reserved = serializers.IntegerField(help_text="Bytes of all files, complete or not.")


class StorageBody(Shape):
    quota = Whole(min_value=0, max_value=2**60 - 1, allow_null=True)


class ResultStorage(Resource):
    at, key, tag = "result-storage/", "organisation_id", "results"
    name, many, shape = "result_storage", "result_storages", StorageShape
    order, needs_person = ("organisation_id",), True

    def visible(self, pk: UUID) -> HostStorage:
        return handoffs.storage_for(self.actor, pk)

    @lists(_("Storage for results"))
    def rows(self, query: dict[str, Any]) -> QuerySet[HostStorage]:
        """Return the storage of hosts: managers see their own, administrators all hosts with results."""
        return handoffs.storages_for(self.actor)

    @reads(_("A host's storage for results"))
    def detail(self, pk: UUID) -> None:
        """Return how much storage a host uses, and its limit."""

    @changes(_("Set a host's storage for results"), StorageBody, versioned=False)
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Set the storage limit of a host. Only administrators may do this. Stored files stay, even if they
        exceed it."""
        handoff_services.storage_set(self.by, organisation_id=pk, quota=data["quota"])
        return pk
