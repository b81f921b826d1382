"""The API for imports: start one, review each row, apply or cancel it; save mappings; and see the origin of
each field of a record."""

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
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.parsers import StrictJSONParser
from accounts.api.resource import (
    OnPage,
    Resource,
    acts,
    creates,
    lists,
    named,
    parts,
    reads,
    removes,
    rendered,
    tells,
)
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, ListOf, Nothing, ObjectOf, Shape, Text, replaced_by, shown_by
from accounts.domain.errors import NotPermitted, invalid
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_code
from accounts.selectors.rows import visible
from instruments.exchange.domain.mappings import LONGEST_NAME
from instruments.exchange.domain.terms import MOST_LISTED, TERMS
from instruments.exchange.forms.imports import ReadAgainForm
from instruments.exchange.messages import file_sentence, row_sentences
from instruments.exchange.models import Import, ImportMapping, ImportRow, ImportTerm
from instruments.exchange.selectors import imports
from instruments.exchange.selectors.terms import terms_for
from instruments.exchange.selectors.undoing import Undoing, load_undoing
from instruments.exchange.services.jobs import (
    import_apply,
    import_cancel,
    import_columns,
    import_map,
    import_read_again,
    import_start,
    import_terms,
    import_undo,
    mapping_delete,
    mapping_save,
    term_forget,
)
from instruments.reading.domain.delimited import RECOGNISED, FileRefused
from instruments.register.selectors.registry import instrument_to_manage

# Answers


class ProblemShape(serializers.Serializer[Any]):
    """The reason why a file or a row is refused, with the numbers behind the sentence."""

    code = serializers.CharField()
    message = serializers.CharField()
    numbers = serializers.DictField()

    def __init__(self, *args: Any, say: Callable[..., str] | None = None, **kwargs: Any) -> None:
        """Take `say`, which returns the sentence for a code, its numbers and, of a row, further problems."""
        super().__init__(*args, **kwargs)
        self.say = say

    def get_attribute(self, instance: Any) -> Any:
        problem = super().get_attribute(instance)
        if not problem or self.say is None:
            return problem or None
        more = [problem["more"]] if "more" in problem else []
        return problem | {"message": self.say(problem["code"], problem["numbers"], *more)}


class CountsShape(serializers.Serializer[Any]):
    """The number of rows of an import with each result."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    undone = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Rows with at least one value that is not imported.")
    apart = serializers.IntegerField(
        help_text="Rows that go to a facility of their own, as the one they name has another address."
    )
    absent = serializers.IntegerField(
        help_text="Instruments from earlier imports that are missing from the file; they are kept."
    )

    def get_attribute(self, job: Import) -> dict[str, int]:
        counts = {result: int(job.counts.get(result, 0)) for result in ImportRow.Result.values}
        apart = int(job.counts.get(imports.APART, 0))
        return counts | {"kept": job.kept, "apart": apart, "absent": job.absent}


class ColumnShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    samples = serializers.ListField(child=serializers.CharField())


class UnknownValueShape(serializers.Serializer[Any]):
    """A value that is no known term of its field, in `rows` rows; `nearest` is the known term that is most
    like it."""

    field = serializers.ChoiceField(TERMS)
    value = serializers.CharField()
    rows = serializers.IntegerField()
    nearest = serializers.CharField(allow_blank=True)


class RememberedValueShape(serializers.Serializer[Any]):
    """The meaning of a value of an organisation's files. An empty `term`: it is left out; for a facility, it
    is one of that name."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    field = serializers.ChoiceField(TERMS)
    value = serializers.CharField()
    term = serializers.CharField(allow_blank=True)
    created_at = Instant()
    version = serializers.IntegerField()


class StayingRowShape(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    name = serializers.CharField()
    instrument = serializers.UUIDField(source="instrument_id")
    problem = ProblemShape(say=row_sentences)


class UndoingShape(serializers.Serializer[Any]):
    """The effect that undoing an import would have today: how many drafts are deleted, how many records get
    back what they were, and the rows whose draft stays, with the reason."""

    deleted = serializers.IntegerField()
    restored = serializers.IntegerField()
    stays = StayingRowShape(many=True)
    is_cut = serializers.BooleanField(help_text="Whether the import has more rows than were looked at.")


class ImportShape(serializers.Serializer[Any]):
    """An imported file and its progress."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    format = serializers.ChoiceField(Import.Format.choices)
    encoding = serializers.CharField()
    facility = serializers.CharField()
    hand_changes = serializers.ChoiceField(Import.HandChanges.choices)
    mapping = serializers.CharField(source="mapping_name", help_text="Name of the mapping.")
    state = serializers.ChoiceField(Import.State.choices)
    problem = ProblemShape(allow_null=True, say=file_sentence)
    header_row = serializers.IntegerField(
        help_text="Number of the line with the column names; 0 until it is found."
    )
    columns = ColumnShape(many=True, help_text="The columns of a table that is waiting for a mapping.")
    ignored_columns = serializers.ListField(
        child=serializers.CharField(), help_text="Columns that are not used."
    )
    unknown_values = UnknownValueShape(
        many=True,
        help_text="Values that are no known terms, each listed once; decide about them with `terms/`.",
    )
    unlisted_values = serializers.IntegerField(help_text="How many more unknown values there are.")
    read_rows = serializers.IntegerField()
    done_rows = serializers.IntegerField()
    counts = CountsShape()
    harvest = serializers.CharField(
        source="harvest_name", allow_blank=True, help_text="Name of the harvest that fetched the file."
    )
    applies = serializers.BooleanField(
        help_text="Whether the import runs automatically if no row is refused."
    )
    person = PersonShape(source="user", allow_null=True)
    user = serializers.UUIDField(source="user_id", allow_null=True, style=replaced_by("person"))
    created_at = Instant()
    applied_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    undone_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class FieldChangeShape(serializers.Serializer[Any]):
    """A field that changes from `before` to `after`. If `kept` is given the field stays as it is, and `kept`
    is the reason. `is_apart`: the row goes to a facility of its own, as the one it names has another
    address."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    kept = serializers.CharField(allow_blank=True)
    is_apart = serializers.BooleanField()

    def to_representation(self, difference: dict[str, Any]) -> dict[str, Any]:
        return super().to_representation({"kept": "", "is_apart": False} | difference)


class GivenShape(serializers.Serializer[Any]):
    """A field that a new instrument gets."""

    field = serializers.CharField()
    value = serializers.JSONField()

    def to_representation(self, given: tuple[str, Any]) -> dict[str, Any]:
        return {"field": given[0], "value": given[1]}


class ImportRowShape(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    line = serializers.IntegerField()
    key = serializers.CharField()
    name = serializers.CharField()
    result = serializers.ChoiceField(ImportRow.Result.choices)
    problem = ProblemShape(allow_null=True, say=row_sentences)
    differences = FieldChangeShape(many=True)
    given = GivenShape(many=True, help_text="The fields of a new instrument; empty for other rows.")
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)


class MappingShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    name = serializers.CharField()
    content = serializers.DictField()
    created_at = Instant()


AsPerson = shown_by(dict, PersonShape)


class FieldOriginShape(serializers.Serializer[Any]):
    """The origin of a field's value: an import (`import`, `line`) or a person (`user`)."""

    field = serializers.CharField()
    by = serializers.ChoiceField(["import", "hand"])
    at = serializers.DateTimeField()
    line = serializers.IntegerField(allow_null=True)
    file_name = serializers.CharField(allow_null=True)
    harvest = serializers.CharField(allow_null=True, help_text="Name of the harvest that fetched the file.")
    person = AsPerson(allow_null=True)
    user = serializers.UUIDField(allow_null=True, style=replaced_by("person"))
    import_id = serializers.UUIDField(allow_null=True)


class ProvenanceShape(serializers.Serializer[Any]):
    fields_from = FieldOriginShape(many=True)


# Requests


class ImportBody(Shape):
    """A file as `file` of multipart/form-data (up to 50 MB), or its text as `content` of JSON."""

    organisation = Text(40, help_text="Code of the organisation.")
    format = Choice(Import.Format.choices)
    file = serializers.FileField(required=False, max_length=200)
    content = serializers.CharField(required=False, trim_whitespace=False)
    file_name = Text(200, required=False)
    encoding = Text(
        40,
        default=RECOGNISED,
        help_text="Text encoding: `auto` (recognises `utf-8` and `gb18030`), `cp1252`, `big5` ...",
    )
    mapping = Text(
        LONGEST_NAME,
        required=False,
        help_text="For tables: name of a saved or built-in mapping. Without one, the columns must have "
        "the names used here, or are mapped with `mapping/`.",
    )
    facility = Text(200, default="", allow_blank=True, help_text="One facility for all rows.")
    hand_changes = Choice(Import.HandChanges.choices, default=Import.HandChanges.KEEP.value)


class ReadAgainBody(Shape):
    """The encoding and the header line with which a stored table is read again."""

    encoding = Text(40, required=False, help_text="Text encoding: `utf-8`, `gb18030`, `cp1252` ...")
    header_row = serializers.IntegerField(
        required=False, min_value=1, max_value=99, help_text="Number of the line with the column names."
    )


class MappingBody(Shape):
    """A mapping of columns to fields, as docs/importing.md describes it."""

    name = Text(LONGEST_NAME)
    content = ObjectOf()


class ImportTermBody(Shape):
    field = Choice(TERMS)
    value = Text(200)
    term = Text(
        200,
        default="",
        allow_blank=True,
        help_text="A known term: the code of a technique, the name of a facility, ... Empty: leave the value "
        "out; a facility stays one of that name.",
    )


class ImportTermsBody(Shape):
    """The meaning of unknown values of an import."""

    terms = ListOf(child=ImportTermBody(), max_length=MOST_LISTED)


class OwnMappingBody(MappingBody):
    organisation = Text(40, help_text="Code of the organisation.")


class ImportQuery(Pages):
    organisation = Text(40, default="", help_text="Code of an organisation: only its imports.")


class RowQuery(Pages):
    result = Choice([*ImportRow.Result.values, imports.KEPT, imports.APART], required=False)


def _mapping(organisation: Organisation, name: str) -> Any:
    try:
        return imports.load_mapping(organisation, name)
    except FileRefused:
        raise invalid("mapping", "unknown-value") from None


class Imports(Resource):
    at, key, name, many, tag = "imports/", "import_id", "import", "imports", "imports"
    shape = ImportShape
    needs_person = True
    parser_classes = [StrictJSONParser, MultiPartParser]

    def visible(self, pk: UUID) -> Import:
        return imports.import_by_id(self.actor, pk)

    @lists(_("Imports"), ImportQuery)
    def listed(self, query: dict[str, Any]) -> QuerySet[Import]:
        """Lists the imports of organisations whose instruments you manage, the newest first."""
        rows = imports.imports_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(organisation__code=query["organisation"])
        return rows

    @creates(_("Upload a file"), ImportBody, named="_start", refuses=[422])
    def start(self, data: dict[str, Any]) -> Import:
        """Starts an import: the file is stored and read. Only the organisation's managers may do this. Once
        its state is `ready`, `rows/` shows what would happen and `apply/` does it."""
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
    page_at = "manage/imports/"

    @reads(_("An import"))
    def detail(self, pk: UUID) -> None:
        """Returns the import with its progress: `read_rows` rows are read, and `done_rows` of them
        applied."""

    @parts(_("Row-by-row preview"), ImportRowShape, RowQuery, order=("position", "id"))
    def rows(self, pk: UUID, query: dict[str, Any]) -> QuerySet[ImportRow]:
        """Lists the rows in the order of the file, with what would happen to each before the import runs, and
        what happened after."""
        return imports.rows_of(self.visible(pk), query.get("result", ""))

    @acts(
        _("Map the columns"), MappingBody, named="_map", refuses=[404, 409, 422], versioned=False, once=False
    )
    def mapping(self, pk: UUID, data: dict[str, Any]) -> None:
        """Gives a table in state `unmapped` its mapping, which is saved, and reads the table with it."""
        import_map(self.by, import_id=pk, mapping=data["content"], name=data["name"])

    @OnPage("instruments:import", form=ReadAgainForm, name="again_form")
    @acts(_("Read a stored table again"), ReadAgainBody, named="_read_again", once=False)
    def again(self, pk: UUID, data: dict[str, Any]) -> None:
        """Reads the file in another encoding, or with another line as its header. Possible until the import
        runs."""
        import_read_again(self.by, import_id=pk, **data)

    @OnPage("instruments:import", done=_("Choose the columns again; the file is kept."), below="to-columns")
    @acts(_("Go back to the columns"), Nothing, once=False, below="to-columns")
    def to_columns(self, pk: UUID, data: dict[str, Any]) -> None:
        """Goes back from the preview of a table to its columns, with the file that was uploaded: the state
        becomes `unmapped` again. Possible until the import runs."""
        import_columns(self.by, import_id=pk)

    @acts(_("Decide about unknown values"), ImportTermsBody, once=False)
    def terms(self, pk: UUID, data: dict[str, Any]) -> None:
        """Decides what unknown values mean, each once for all rows, and reads the file again with that. The
        organisation's next imports remember it."""
        import_terms(self.by, import_id=pk, terms=data["terms"])

    @tells(_("What undoing would do"), UndoingShape, below="undo", named="_undoing")
    def undoing(self, pk: UUID) -> Undoing:
        """Returns which drafts undoing the import would delete today, and which stay and why."""
        return load_undoing(self.visible(pk))

    @OnPage("instruments:import")
    @acts(_("Undo an import"), Nothing, once=False)
    def undo(self, pk: UUID, data: dict[str, Any]) -> None:
        """Undoes an import that has run: deletes its drafts that nobody has published, changed or used since,
        with the facilities it made, and gives changed records their old values. Each row says what became of
        it."""
        import_undo(self.by, import_id=pk)

    @OnPage("instruments:import")
    @acts(_("Run an import"), Nothing, once=False)
    def apply(self, pk: UUID, data: dict[str, Any]) -> None:
        """Applies an import in state `ready`. Values that a person has written since the preview are kept or
        overwritten, as the import's `hand_changes` says."""
        import_apply(self.by, import_id=pk)

    @OnPage("instruments:import", done=_("Stopped."))
    @acts(_("Stop an import"), Nothing, once=False)
    def cancel(self, pk: UUID, data: dict[str, Any]) -> None:
        """Stops the import. If it has not run yet, nothing has been written; if it is running, what has been
        written stays."""
        import_cancel(self.by, import_id=pk)


class ImportTerms(Resource):
    at, key, tag = "import-terms/", "term_id", "imports"
    name, many = "remembered_value", "remembered_values"
    shape, order = RememberedValueShape, ("field", "value", "id")
    needs_person, page_at = True, "manage/import-terms/"

    def visible(self, pk: UUID) -> ImportTerm:
        return visible(terms_for(self.actor), pk=pk)

    @lists(_("Remembered values"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ImportTerm]:
        """Lists what values of imported files mean, by field and value, for organisations whose instruments
        you manage."""
        return terms_for(self.actor)

    @OnPage(
        "instruments:imports", _("Forget"), _("Forgotten. What was imported stays."), of="", below="forget"
    )
    @removes(_("Forget a value"))
    def forget(self, pk: UUID) -> None:
        """Forgets what a value means: the next import asks again. What was imported stays."""
        term_forget(self.by, term_id=pk)


class ImportMappings(Resource):
    at, key, tag = "import-mappings/", "mapping_id", "imports"
    name, many = "import_mapping", "import_mappings"
    shape, order = MappingShape, ("name", "id")
    needs_person, page_at = True, "manage/import-mappings/"

    def visible(self, pk: UUID) -> ImportMapping:
        return imports.mapping_by_id(self.actor, pk)

    def location(self, row: ImportMapping) -> str:
        return ""  # a mapping that replaces another is not new

    @lists(_("Saved mappings"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ImportMapping]:
        """Lists the saved mappings of organisations whose instruments you manage, by name."""
        return imports.mappings_for(self.actor)

    @creates(_("Save a mapping"), OwnMappingBody, named="_save", refuses=[422])
    def save(self, data: dict[str, Any]) -> ImportMapping:
        """Saves a mapping, in place of one of the same name."""
        data["organisation"] = named("organisation", organisation_by_code, data["organisation"])
        saved = mapping_save(self.by, **data)
        saved.refresh_from_db(fields=["version"])
        return saved

    @reads(_("A mapping"), address="api-import-mapping-one")
    def detail(self, pk: UUID) -> None:
        """Returns one mapping of columns to fields."""

    @OnPage(
        "instruments:imports",
        _("Delete"),
        _("Deleted. Imports that used it keep its values."),
        _("Delete this mapping? The next file of this kind has to be mapped by hand."),
        of="",
        below="delete",
    )
    @removes(_("Delete a mapping"))
    def remove(self, pk: UUID) -> None:
        """Deletes the mapping. Imports that used it keep its values."""
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
        """Lists, for the host's managers, which import or person last wrote each field. A field that is not
        listed was entered here when the record was created."""
        instrument = instrument_to_manage(self.actor, instrument_id)
        return Response({"fields_from": [*map(_origin_json, imports.load_provenance(instrument))]})


def _origin_json(item: imports.FieldOrigin) -> dict[str, Any]:
    origin = item.origin
    who = item.user or (item.job.user if item.job else None)
    return {
        "field": item.field,
        "by": origin.by,
        "at": origin.at,
        "line": origin.line or None,
        "file_name": item.job.file_name if item.job else None,
        "harvest": (item.job.harvest_name or None) if item.job else None,
        "person": rendered(PersonShape, who) if who else None,
        "user": origin.user or (str(who.pk) if who else None),
        "import_id": origin.job or None,
    }
