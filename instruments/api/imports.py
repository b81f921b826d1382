"""Imports: start one, look row by row at what it would do, apply or cancel it; saved mappings;
where the fields of a record come from."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages
from accounts.api.parsers import StrictJSONParser
from accounts.api.resource import Resource, acts, creates, lists, named, parts, reads, removes
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Nothing, Shape, Text
from accounts.domain.errors import NotPermitted, invalid
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code
from instruments.domain.delimited import RECOGNISED, FileRefused
from instruments.messages import file_sentence, row_sentence
from instruments.models import Import, ImportMapping, ImportRow
from instruments.selectors.imports import (
    FieldOrigin,
    import_by_id,
    imports_for,
    load_mapping,
    load_provenance,
    mapping_by_id,
    mappings_for,
    rows_of,
)
from instruments.selectors.managing import instrument_to_manage
from instruments.services.import_jobs import (
    import_apply,
    import_cancel,
    import_map,
    import_read_again,
    import_start,
    mapping_delete,
    mapping_save,
)

# Answers


class ProblemShape(serializers.Serializer[Any]):
    """Why a file or a row is refused, with the numbers behind the sentence."""

    code = serializers.CharField()
    message = serializers.CharField()
    numbers = serializers.DictField()

    def __init__(
        self, *args: Any, say: Callable[[str, Any], str] | None = None, **kwargs: Any
    ) -> None:
        """`say`: the sentence of a code and its numbers."""
        super().__init__(*args, **kwargs)
        self.say = say

    def get_attribute(self, instance: Any) -> Any:
        problem = super().get_attribute(instance)
        if not problem or self.say is None:
            return problem or None
        return problem | {"message": self.say(problem["code"], problem["numbers"])}


class CountsShape(serializers.Serializer[Any]):
    """How many rows become, or became, what."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Rows with some value that is not imported.")
    absent = serializers.IntegerField(
        help_text="Instruments of earlier imports that are not in the file; they are kept."
    )

    def get_attribute(self, job: Import) -> dict[str, int]:
        counts = {result: int(job.counts.get(result, 0)) for result in ImportRow.Result.values}
        return counts | {"kept": job.kept, "absent": job.absent}


class ColumnShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    samples = serializers.ListField(child=serializers.CharField())


class ImportShape(serializers.Serializer[Any]):
    """A file and how far it has come."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    format = serializers.ChoiceField(Import.Format.choices)
    encoding = serializers.CharField()
    facility = serializers.CharField()
    hand_changes = serializers.ChoiceField(Import.HandChanges.choices)
    mapping = serializers.CharField(source="mapping_name", help_text="The name of the mapping.")
    state = serializers.ChoiceField(Import.State.choices)
    problem = ProblemShape(allow_null=True, say=file_sentence)
    header_row = serializers.IntegerField(help_text="The line with the names of the columns.")
    columns = ColumnShape(many=True, help_text="For a table that is waiting for a mapping.")
    ignored_columns = serializers.ListField(
        child=serializers.CharField(), help_text="Unused columns."
    )
    read_rows = serializers.IntegerField()
    done_rows = serializers.IntegerField()
    counts = CountsShape()
    harvest = serializers.CharField(
        source="harvest_name",
        allow_blank=True,
        help_text="The name of the harvest that fetched the file.",
    )
    applies = serializers.BooleanField(help_text="Runs automatically where no row is refused.")
    user = serializers.UUIDField(source="user_id", allow_null=True)
    created_at = Instant()
    applied_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class FieldChangeShape(serializers.Serializer[Any]):
    """A field that changes; with `kept` it stays, and `kept` says why."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    kept = serializers.CharField(allow_blank=True)

    def to_representation(self, difference: dict[str, Any]) -> dict[str, Any]:
        return super().to_representation({"kept": ""} | difference)


class ImportRowShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    line = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField()
    result = serializers.ChoiceField(ImportRow.Result.choices)
    problem = ProblemShape(allow_null=True, say=row_sentence)
    differences = FieldChangeShape(many=True)
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)


class MappingShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField()
    content = serializers.DictField()
    created_at = Instant()


class FieldOriginShape(serializers.Serializer[Any]):
    """Who wrote a field last: an import (`import`, `line`) or a hand (`user`)."""

    field = serializers.CharField()
    by = serializers.ChoiceField(["import", "hand"])
    at = serializers.DateTimeField()
    line = serializers.IntegerField(allow_null=True)
    file_name = serializers.CharField(allow_null=True)
    harvest = serializers.CharField(
        allow_null=True, help_text="The name of the harvest that fetched the file."
    )
    user = serializers.UUIDField(allow_null=True)
    import_id = serializers.UUIDField(allow_null=True)


class ProvenanceShape(serializers.Serializer[Any]):
    fields_from = FieldOriginShape(many=True)


# Requests


class ImportBody(Shape):
    """A file as `file` of multipart/form-data (up to 50 MB) or, in JSON, its text as `content`."""

    organisation = Text(40, help_text="Its code.")
    format = Choice(Import.Format.choices)
    file = serializers.FileField(required=False, max_length=200)
    content = serializers.CharField(required=False, trim_whitespace=False)
    file_name = Text(200, required=False)
    encoding = Text(
        40,
        default=RECOGNISED,
        help_text="Of text: `auto` (recognised: `utf-8` or `gb18030`), `cp1252`, `big5` ...",
    )
    mapping = Text(
        80,
        required=False,
        help_text="Of tables: the name of a saved mapping, or of one that comes with the "
        "platform. Without, the columns must have our own names, or `mapping/` says which is "
        "which.",
    )
    facility = Text(200, default="", allow_blank=True, help_text="One for all rows.")
    hand_changes = Choice(Import.HandChanges.choices, default=Import.HandChanges.KEEP.value)


class ReadAgainBody(Shape):
    """How a kept table is to be read."""

    encoding = Text(40, required=False, help_text="Of text: `utf-8`, `gb18030`, `cp1252` ...")
    header_row = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=99,
        help_text="The line with the names of the columns.",
    )


class MappingBody(Shape):
    """Which column is which, as docs/importing.md describes it."""

    name = Text(80)
    content = serializers.DictField()


class OwnMappingBody(MappingBody):
    organisation = Text(40, help_text="Its code.")


class ImportQuery(Pages):
    organisation = Text(40, default="", help_text="Of one organisation: its code.")


class RowQuery(Pages):
    result = Choice([*ImportRow.Result.values, "kept"], required=False)


def _mapping(organisation: Organisation, name: str) -> Any:
    try:
        return load_mapping(organisation, name)
    except FileRefused:
        raise invalid("mapping", "unknown-value") from None


class Imports(Resource):
    at, key, name, many, tag = "imports/", "import_id", "import", "imports", "imports"
    shape = ImportShape
    needs_person = True
    parser_classes = [StrictJSONParser, MultiPartParser]

    def visible(self, pk: UUID) -> Import:
        return import_by_id(self.actor, pk)

    @lists(_("Imports"), ImportQuery)
    def listed(self, query: dict[str, Any]) -> QuerySet[Import]:
        """Those of the organisations whose instruments one manages, the newest first."""
        rows = imports_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return rows

    @creates(_("Upload a file"), ImportBody, named="_start", refuses=[422], once=False)
    def start(self, data: dict[str, Any]) -> Import:
        """For the organisation's managers. The file is kept and read; when its state is `ready`,
        `rows/` says what would happen and `apply/` has it done."""
        organisation = named("organisation", organisation_by_code, data.pop("organisation"))
        if not self.actor.may("manage-instruments", place_of(organisation)):
            raise NotPermitted(capability="manage-instruments")
        given, text = data.pop("file", None), data.pop("content", None)
        if (given is None) == (text is None):
            raise invalid("file", "required")
        stream: BinaryIO = given if given is not None else io.BytesIO(str(text).encode())
        name = data.pop("mapping", "")
        data["file_name"] = data.get("file_name") or getattr(given, "name", "") or "-"
        if text is not None:
            data["encoding"] = "utf-8"
        return import_start(
            self.by,
            organisation_id=organisation.pk,
            file=stream,
            mapping=_mapping(organisation, name) if name else None,
            mapping_name=name,
            **data,
        )


class OneImport(Imports):
    parser_classes = [*Endpoint.parser_classes]

    @reads(_("One import"))
    def detail(self, pk: UUID) -> None:
        """How far it is: `read_rows`, then `done_rows` of them."""

    @parts(_("Row-by-row preview"), ImportRowShape, RowQuery, order=("position", "id"))
    def rows(self, pk: UUID, query: dict[str, Any]) -> QuerySet[ImportRow]:
        """In the order of the file: before it is applied what would happen, afterwards what
        did."""
        return rows_of(self.visible(pk), query.get("result", ""))

    @acts(
        _("Map the columns"),
        MappingBody,
        named="_map",
        refuses=[404, 409, 422],
        versioned=False,
        once=False,
    )
    def mapping(self, pk: UUID, data: dict[str, Any]) -> None:
        """Of a table whose state is `unmapped`; the mapping is saved and the table read."""
        import_map(self.by, import_id=pk, mapping=data["content"], name=data["name"])

    @acts(_("Read a stored table again"), ReadAgainBody, named="_read_again", once=False)
    def again(self, pk: UUID, data: dict[str, Any]) -> None:
        """In another encoding, or with the names of its columns in another line; before it is
        carried out."""
        import_read_again(self.by, import_id=pk, **data)

    @acts(_("Run an import"), Nothing, once=False)
    def apply(self, pk: UUID, data: dict[str, Any]) -> None:
        """Of one whose state is `ready`. What a person wrote since the preview is kept, or
        overwritten, as the import says."""
        import_apply(self.by, import_id=pk)

    @acts(_("Stop an import"), Nothing, once=False)
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """Before it is applied nothing was written; while it is, what was written stays."""
        import_cancel(self.by, import_id=pk)


class ImportMappings(Resource):
    at, key, tag = "import-mappings/", "mapping_id", "imports"
    name, many = "import_mapping", "import_mappings"
    shape, order = MappingShape, ("name", "id")
    needs_person = True

    def visible(self, pk: UUID) -> ImportMapping:
        return mapping_by_id(self.actor, pk)

    def location(self, row: ImportMapping) -> str:
        return ""  # saved in place of another it is no new one

    @lists(_("Saved mappings"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ImportMapping]:
        """Those of the organisations whose instruments one manages, by name."""
        return mappings_for(self.actor)

    @creates(_("Save a mapping"), OwnMappingBody, named="_save", refuses=[422], once=False)
    def save(self, data: dict[str, Any]) -> ImportMapping:
        """In place of one of the same name."""
        data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        saved = mapping_save(self.by, **data)
        saved.refresh_from_db(fields=["version"])
        return saved

    @reads(_("One mapping"), address="api-import-mapping-one")
    def detail(self, pk: UUID) -> None:
        """Which column is which."""

    @removes(_("Delete a mapping"))
    def remove(self, pk: UUID) -> None:
        """Imports that used it keep what it said."""
        mapping_delete(self.by, mapping_id=pk)


class InstrumentProvenance(Endpoint):
    needs_person = True

    @operation(
        "instrument_provenance",
        _("Sources of the fields"),
        tag="instruments",
        gives=ProvenanceShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """For the host's managers: of each field which import wrote it last, or which hand. One
        that is not named was entered here with the record."""
        instrument = instrument_to_manage(self.actor, instrument_id)
        return Response({"fields_from": [*map(_origin_json, load_provenance(instrument))]})


def _origin_json(item: FieldOrigin) -> dict[str, Any]:
    origin = item.origin
    return {
        "field": item.field,
        "by": origin.by,
        "at": origin.at,
        "line": origin.line or None,
        "file_name": item.job.file_name if item.job else None,
        "harvest": (item.job.harvest_name or None) if item.job else None,
        "user": origin.user or (str(item.job.user_id) if item.job and item.job.user_id else None),
        "import_id": origin.job or None,
    }
