"""Imports: start one, look row by row at what it would do, apply or cancel it; saved mappings;
where the fields of a record come from."""

import io
from typing import Any, BinaryIO
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.parsers import StrictJSONParser
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Instant, Nothing, Shape, Text, asked, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, NotPermitted, invalid
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


class ColumnShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    samples = serializers.ListField(child=serializers.CharField())


class ImportShape(serializers.Serializer[Any]):
    """A file and how far it has come."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    format = serializers.ChoiceField(Import.Format.choices)
    encoding = serializers.CharField()
    facility = serializers.CharField()
    hand_changes = serializers.ChoiceField(Import.HandChanges.choices)
    mapping = serializers.CharField(help_text="The name of the mapping.")
    state = serializers.ChoiceField(Import.State.choices)
    problem = ProblemShape(allow_null=True)
    header_row = serializers.IntegerField(help_text="The line with the names of the columns.")
    columns = ColumnShape(many=True, help_text="For a table that is waiting for a mapping.")
    ignored_columns = serializers.ListField(
        child=serializers.CharField(), help_text="Unused columns."
    )
    read_rows = serializers.IntegerField()
    done_rows = serializers.IntegerField()
    counts = CountsShape()
    harvest = serializers.CharField(
        allow_blank=True, help_text="The name of the harvest that fetched the file."
    )
    applies = serializers.BooleanField(help_text="Runs automatically where no row is refused.")
    user = serializers.UUIDField(allow_null=True)
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


class ImportRowShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    line = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField()
    result = serializers.ChoiceField(ImportRow.Result.choices)
    problem = ProblemShape(allow_null=True)
    differences = FieldChangeShape(many=True)
    instrument = serializers.UUIDField(allow_null=True)


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


def _problem(problem: dict[str, Any], say: Any) -> dict[str, Any] | None:
    if not problem:
        return None
    code, numbers = problem["code"], problem["numbers"]
    return {"code": code, "message": say(code, numbers), "numbers": numbers}


def import_json(job: Import) -> dict[str, Any]:
    counts = {result: int(job.counts.get(result, 0)) for result in ImportRow.Result.values}
    shown = {
        name: getattr(job, name)
        for name in ImportShape().get_fields()
        if name not in ("organisation", "mapping", "problem", "counts", "user", "harvest")
    }
    return dict(
        ImportShape(
            shown
            | {
                "organisation": job.organisation.code,
                "mapping": job.mapping_name,
                "problem": _problem(job.problem, file_sentence),
                "counts": counts | {"kept": job.kept, "absent": job.absent},
                "user": job.user_id,
                "harvest": job.harvest_name,
            }
        ).data
    )


def _row_json(row: ImportRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "line": row.line,
        "key": row.key,
        "name": row.name,
        "result": row.result,
        "problem": _problem(row.problem, row_sentence),
        "differences": [
            {name: difference.get(name, "") for name in ("field", "before", "after", "kept")}
            for difference in row.differences
        ],
        "instrument": str(row.instrument_id) if row.instrument_id else None,
    }


def one(job: Import, status: int = 200) -> Response:
    headers = etag(job.version)
    if status == 201:
        headers["Location"] = reverse("api-import", kwargs={"import_id": job.pk})
    return Response(import_json(job), status=status, headers=headers)


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


def _organisation(code: str) -> Organisation:
    try:
        return organisation_by_code(code)
    except NotFound:
        raise invalid("organisation", "unknown-value") from None


class Imports(Endpoint):
    needs_person = True
    parser_classes = [StrictJSONParser, MultiPartParser]

    @operation("imports", _("Imports"), tag="imports", query=ImportQuery, gives=page(ImportShape))
    def get(self, request: Request) -> Response:
        """Those of the organisations whose instruments one manages, the newest first."""
        query = asked(ImportQuery, request.query_params)
        rows: QuerySet[Import] = imports_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return paginated(
            request, rows, query, ("-created_at", "-id"), lambda found: [*map(import_json, found)]
        )

    @operation(
        "import_start",
        _("Upload a file"),
        tag="imports",
        takes=ImportBody,
        gives=ImportShape,
        status=201,
        refuses=[422],
    )
    def post(self, request: Request) -> Response:
        """For the organisation's managers. The file is kept and read; when its state is `ready`,
        `rows/` says what would happen and `apply/` has it done."""
        data = checked(ImportBody, request.data)
        organisation = _organisation(data["organisation"])
        if not self.actor.may("manage-instruments", place_of(organisation)):
            raise NotPermitted(capability="manage-instruments")
        given = data.get("file")
        text = data.get("content")
        if (given is None) == (text is None):
            raise invalid("file", "required")
        stream: BinaryIO = given if given is not None else io.BytesIO(str(text).encode())
        name = data.get("mapping", "")
        job = import_start(
            actor=self.actor,
            organisation_id=organisation.pk,
            file=stream,
            file_name=data.get("file_name") or getattr(given, "name", "") or "-",
            format=data["format"],
            encoding=data["encoding"] if text is None else "utf-8",
            mapping=self._mapping(organisation, name) if name else None,
            mapping_name=name,
            facility=data["facility"],
            hand_changes=data["hand_changes"],
            now=self.now,
        )
        return one(job, status=201)

    def _mapping(self, organisation: Organisation, name: str) -> Any:
        try:
            return load_mapping(organisation, name)
        except FileRefused:
            raise invalid("mapping", "unknown-value") from None


class ImportDetail(Endpoint):
    needs_person = True

    @operation("import", _("One import"), tag="imports", gives=ImportShape, refuses=[404])
    def get(self, request: Request, import_id: UUID) -> Response:
        """How far it is: `read_rows`, then `done_rows` of them."""
        return one(import_by_id(self.actor, import_id))


class ImportRows(Endpoint):
    needs_person = True

    @operation(
        "import_rows",
        _("Row-by-row preview"),
        tag="imports",
        query=RowQuery,
        gives=page(ImportRowShape),
        refuses=[404],
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        """In the order of the file: before it is applied what would happen, afterwards what
        did."""
        query = asked(RowQuery, request.query_params)
        job = import_by_id(self.actor, import_id)
        rows = rows_of(job, query.get("result", ""))
        return paginated(
            request, rows, query, ("position", "id"), lambda found: [*map(_row_json, found)]
        )


class ImportMap(Endpoint):
    needs_person = True

    @operation(
        "import_map",
        _("Map the columns"),
        tag="imports",
        takes=MappingBody,
        gives=ImportShape,
        refuses=[404, 409, 422],
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Of a table whose state is `unmapped`; the mapping is saved and the table read."""
        data = checked(MappingBody, request.data)
        import_map(
            actor=self.actor,
            import_id=import_id,
            mapping=data["content"],
            name=data["name"],
            now=self.now,
        )
        return one(import_by_id(self.actor, import_id))


class ImportReadAgain(Endpoint):
    needs_person = True

    @operation(
        "import_read_again",
        _("Read a stored table again"),
        tag="imports",
        takes=ReadAgainBody,
        gives=ImportShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """In another encoding, or with the names of its columns in another line; before it is
        carried out."""
        expected = expected_version(request)
        data = checked(ReadAgainBody, request.data)
        import_read_again(
            actor=self.actor,
            import_id=import_id,
            expected_version=expected,
            now=self.now,
            **data,
        )
        return one(import_by_id(self.actor, import_id))


class ImportApply(Endpoint):
    needs_person = True

    @operation(
        "import_apply",
        _("Run an import"),
        tag="imports",
        takes=Nothing,
        gives=ImportShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Of one whose state is `ready`. What a person wrote since the preview is kept, or
        overwritten, as the import says."""
        expected = expected_version(request)
        checked(Nothing, request.data)
        import_apply(actor=self.actor, import_id=import_id, expected_version=expected, now=self.now)
        return one(import_by_id(self.actor, import_id))


class ImportCancel(Endpoint):
    needs_person = True

    @operation(
        "import_cancel",
        _("Stop an import"),
        tag="imports",
        takes=Nothing,
        gives=ImportShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Before it is applied nothing was written; while it is, what was written stays."""
        expected = expected_version(request)
        checked(Nothing, request.data)
        import_cancel(
            actor=self.actor, import_id=import_id, expected_version=expected, now=self.now
        )
        return one(import_by_id(self.actor, import_id))


class ImportMappings(Endpoint):
    needs_person = True

    @operation(
        "import_mappings",
        _("Saved mappings"),
        tag="imports",
        query=Pages,
        gives=page(MappingShape),
    )
    def get(self, request: Request) -> Response:
        """Those of the organisations whose instruments one manages, by name."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            mappings_for(self.actor),
            query,
            ("name", "id"),
            lambda found: MappingShape(found, many=True).data,
        )

    @operation(
        "import_mapping_save",
        _("Save a mapping"),
        tag="imports",
        takes=OwnMappingBody,
        gives=MappingShape,
        status=201,
        refuses=[422],
    )
    def post(self, request: Request) -> Response:
        """In place of one of the same name."""
        data = checked(OwnMappingBody, request.data)
        saved = mapping_save(
            actor=self.actor,
            organisation=_organisation(data["organisation"]),
            name=data["name"],
            content=data["content"],
            now=self.now,
        )
        saved.refresh_from_db(fields=["version"])
        return Response(MappingShape(saved).data, status=201, headers=etag(saved.version))


class ImportMappingDetail(Endpoint):
    needs_person = True

    @operation("import_mapping", _("One mapping"), tag="imports", gives=MappingShape, refuses=[404])
    def get(self, request: Request, mapping_id: UUID) -> Response:
        """Which column is which."""
        found: ImportMapping = mapping_by_id(self.actor, mapping_id)
        return Response(MappingShape(found).data, headers=etag(found.version))

    @operation(
        "import_mapping_delete",
        _("Delete a mapping"),
        tag="imports",
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, mapping_id: UUID) -> Response:
        """Imports that used it keep what it said."""
        mapping_delete(
            actor=self.actor,
            mapping_id=mapping_id,
            now=self.now,
            expected_version=expected_version(request),
        )
        return Response(status=204)


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
