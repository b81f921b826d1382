"""The auditors' desk: exceptions, runs and samples, findings."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, creates, lists, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Flag, Instant, ListOf, Shape, Text, TextOrNull, Whole
from bookings.audit.domain.audit import RULES
from bookings.audit.domain.sampling import Sampling
from bookings.audit.models import AuditException, AuditFinding, AuditRun, AuditSample
from bookings.audit.selectors.audit import (
    exception_for,
    exceptions_where,
    finding_for,
    finding_records,
    findings_for,
    instruments_behind,
    own_exceptions,
    own_findings,
    sample_for,
    samples_for,
)
from bookings.audit.selectors.sampling import population_of
from bookings.audit.services.audit import exception_move, exceptions_decide, exceptions_find
from bookings.audit.services.findings import (
    Raised,
    finding_close,
    finding_raise,
    finding_reply,
    finding_return,
)
from bookings.audit.services.sampling import sample_draw
from bookings.record.api.files import CSV, FileEndpoint
from bookings.record.api.shapes import Hex
from bookings.record.messages import sentence


class EvidenceShape(serializers.Serializer[Any]):
    """A row behind an exception."""

    type = serializers.CharField()
    id = serializers.UUIDField()


class ExceptionShape(serializers.Serializer[Any]):
    """Something a rule of a version found; `numbers` are what it saw."""

    id = serializers.UUIDField()
    rule = serializers.CharField()
    rule_version = serializers.IntegerField()
    parameters = serializers.DictField()
    numbers = serializers.DictField()
    evidence = EvidenceShape(many=True)
    instrument = serializers.UUIDField(
        allow_null=True, source="about.pk", help_text="That it is about, if any."
    )
    instrument_name = serializers.CharField(allow_null=True, source="about.name")
    organisation = serializers.CharField(source="organisation.code")
    happened_at = Instant()
    found_at = Instant()
    state = serializers.ChoiceField(AuditException.State.choices)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = TextOrNull()
    is_own = serializers.BooleanField(help_text="Your own case: another auditor decides.")
    version = serializers.IntegerField()


class ExceptionQuery(Pages):
    rule = Text(30, default="", help_text=", ".join(RULES))
    state = Choice(AuditException.State.choices, required=False)
    organisation = Text(40, default="", help_text="A code.")
    region = Text(20, default="", help_text="A code; regions below it are included.")


class ExceptionBody(Shape):
    state = Choice([("review", "review"), ("explained", "explained")])
    reason = Text(1000, default="", allow_blank=True, help_text="Needed where it is explained.")


class ChosenBody(Shape):
    id = serializers.UUIDField()
    version = Whole(
        min_value=1,
        required=False,
        help_text="The version that was read; refused if it has changed.",
    )


class ExceptionsBody(ExceptionBody):
    exceptions = ListOf(child=ChosenBody(), min_length=1)


class NotDecidedShape(serializers.Serializer[Any]):
    """One that stays as it was, and why."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    message = serializers.CharField()


class DecidedShape(serializers.Serializer[Any]):
    decided = ExceptionShape(many=True)
    refused = NotDecidedShape(many=True)


class RunShape(serializers.Serializer[Any]):
    """`counts`: by rule, what was found anew."""

    id = serializers.UUIDField()
    started_at = Instant()
    full = serializers.BooleanField(source="is_full")
    looked_at = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())


class RunBody(Shape):
    full = Flag(default=False, help_text="Everything, not only what happened since the last run.")


class SampleShape(serializers.Serializer[Any]):
    """`population` is SHA-256 over the frozen population; `drawn` are ids of its rows."""

    id = serializers.UUIDField()
    subject = serializers.ChoiceField(AuditSample.Subject.choices)
    method = serializers.ChoiceField(AuditSample.Method.choices)
    since = serializers.DateField()
    until = serializers.DateField()
    currency = TextOrNull()
    seed = serializers.CharField()
    size = serializers.IntegerField()
    population = Hex(source="digest")
    count = serializers.IntegerField()
    drawn = serializers.ListField(child=serializers.UUIDField())
    made_by = serializers.CharField()
    made_at = Instant()


class SampleBody(Shape):
    subject = Choice(AuditSample.Subject.choices)
    method = Choice(AuditSample.Method.choices)
    since = Day()
    until = Day()
    size = Whole(min_value=1, max_value=5000)
    seed = Text(64, default="", allow_blank=True, help_text="Empty: random.")
    currency = Text(3, default="", allow_blank=True, help_text="For the method `monetary`.")


class FindingShape(serializers.Serializer[Any]):
    """What is not as it should be, and how it was put right."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    severity = serializers.ChoiceField(AuditFinding.Severity.choices)
    title = serializers.CharField()
    text = serializers.CharField()
    exception = serializers.UUIDField(allow_null=True, source="exception_id")
    sample = serializers.UUIDField(allow_null=True, source="sample_id")
    state = serializers.ChoiceField(AuditFinding.State.choices)
    due_date = serializers.DateField()
    raised_by = serializers.CharField()
    raised_at = Instant()
    reply = TextOrNull()
    replied_by = serializers.CharField(allow_null=True)
    replied_at = Instant(allow_null=True)
    note = TextOrNull()
    evidence = TextOrNull()
    closed_by = serializers.CharField(allow_null=True)
    closed_at = Instant(allow_null=True)
    is_own = serializers.BooleanField(help_text="Your own case: another auditor decides.")
    version = serializers.IntegerField()


class FindingDetailShape(FindingShape):
    """With what the finding refers to; for whoever answers it as far as it is their own
    organisation's affair."""

    rule = serializers.CharField(
        allow_null=True, source="exception.rule", help_text="Of the exception that led to it."
    )
    numbers = serializers.DictField(help_text="The numbers that the rule found.")
    records = EvidenceShape(many=True, help_text="Behind the exception, or drawn in the sample.")


class FindingBody(Shape):
    """`exception`: it is confirmed by the finding, which is about its organisation; else
    `organisation`."""

    severity = Choice(AuditFinding.Severity.choices)
    title = Text(200)
    text = Text(5000)
    due_date = Day(required=False, allow_null=True, help_text="Default: by its severity.")
    exception = serializers.UUIDField(required=False, allow_null=True)
    sample = serializers.UUIDField(required=False, allow_null=True)
    organisation = Text(40, default="", allow_blank=True, help_text="A code.")


class ReplyBody(Shape):
    reply = Text(5000)


class ReturnBody(Shape):
    note = Text(5000)
    due_date = Day(required=False, allow_null=True)


class CloseBody(Shape):
    evidence = Text(5000)


class AuditResource(Resource):
    tag = "audit"
    needs_person = True


class Exceptions(AuditResource):
    at, key, name = "audit/exceptions/", "exception_id", "audit_exception"
    many, shape, order = "audit_exceptions", ExceptionShape, ("-happened_at", "-id")

    def visible(self, pk: UUID) -> AuditException:
        return exception_for(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Three statements, however many."""
        own, instruments = own_exceptions(self.actor, rows), instruments_behind(rows)
        for row in rows:
            row.is_own, row.about = row.pk in own, instruments.get(row.pk)
        return rows

    @lists(_("Exceptions"), ExceptionQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditException]:
        """Of an auditor's regions, what happened last first; empty for others."""
        names = ("rule", "state", "organisation", "region")
        return exceptions_where(self.actor, **{name: query.get(name, "") for name in names})

    @acts(
        _("Classify several exceptions"),
        ExceptionsBody,
        below="*decide",
        named="audit_exceptions_decide",
        address="api-audit-exceptions-decide",
        gives=DecidedShape,
        refuses=(),
        versioned=False,
    )
    def decide(self, data: dict[str, Any]) -> dict[str, Any]:
        """For auditors: one state and reason for all. Each is decided by itself; one that is your
        own case, or was changed meanwhile, is named in `refused` and stays as it was."""
        data["chosen"] = [(each["id"], each.get("version")) for each in data.pop("exceptions")]
        done, refused = exceptions_decide(self.by, **data)
        return {
            "decided": self.prepared(done),
            "refused": [
                {"id": pk, "code": error.code, "message": sentence(error.code, error.numbers)}
                for pk, error in refused
            ],
        }

    @reads(_("One exception"))
    def detail(self, pk: UUID) -> None:
        """With its rule, its numbers and the rows behind it."""

    @changes(_("Classify an exception"), ExceptionBody, named="_decide", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Under review, or explained with the reason. One that is confirmed becomes a finding:
        POST one that names it."""
        exception_move(self.by, exception_id=pk, **data)


class Runs(AuditResource):
    at, key, name, many = "audit/runs/", "run_id", "audit_run", "audit_runs"

    @creates(_("Run the rules"), RunBody, named="", gives=RunShape)
    def run(self, data: dict[str, Any]) -> AuditRun:
        """For auditors; a job does so every night. What was found before stays as it is."""
        return exceptions_find(self.by, **data)


class Samples(AuditResource):
    at, key = "audit/samples/", "sample_id"
    name, many, shape, order = "audit_sample", "audit_samples", SampleShape, ("-made_at", "-id")

    def visible(self, pk: UUID) -> AuditSample:
        return sample_for(self.actor, pk)

    def location(self, row: AuditSample) -> str:
        return ""

    @lists(pgettext_lazy("audit", "Samples"))
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditSample]:
        """Of an auditor's regions, the newest first; empty for others."""
        return samples_for(self.actor)

    @creates(_("Draw a sample"), SampleBody, named="_draw", refuses=[409])
    def draw(self, data: dict[str, Any]) -> UUID:
        """The population of your regions is frozen and hashed with it."""
        return sample_draw(self.by, sampling=Sampling(**data)).pk

    @reads(_("One sample"))
    def detail(self, pk: UUID) -> None:
        """With its seed and what was drawn."""


class SamplePopulation(FileEndpoint):
    @operation(
        "audit_sample_population",
        _("The population of a sample"),
        tag="audit",
        gives=OpenApiTypes.STR,
        media=CSV,
        refuses=[404],
    )
    def get(self, request: Request, sample_id: UUID) -> HttpResponse:
        """As it was frozen: `draw_sample.py` draws the same from it."""
        row = sample_for(self.actor, sample_id)
        return self.file(population_of(row), CSV, f"population-{row.pk}.csv")


class Findings(AuditResource):
    at, key, name = "audit/findings/", "finding_id", "audit_finding"
    many, shape, order = "audit_findings", FindingDetailShape, ("-raised_at", "-id")

    def visible(self, pk: UUID) -> Any:
        row: Any = finding_for(self.actor, pk)
        row.numbers = row.exception.numbers if row.exception else {}
        row.records = finding_records(self.actor, row)
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        own = own_findings(self.actor, rows)
        for row in rows:
            row.is_own = row.pk in own
        return rows

    def location(self, row: AuditFinding) -> str:
        return ""

    @lists(_("Findings"), gives=FindingShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditFinding]:
        """Of an auditor's regions; of your organisation what it has to answer."""
        return findings_for(self.actor)

    @creates(_("Raise a finding"), FindingBody, named="_raise", refuses=[404, 409])
    def create(self, data: dict[str, Any]) -> UUID:
        """For auditors. The organisation is told, and reminded until it has answered."""
        for name in ("exception", "sample"):
            data[f"{name}_id"] = data.pop(name, None)
        return finding_raise(self.by, raised=Raised(**data)).pk

    @reads(_("One finding"))
    def detail(self, pk: UUID) -> None:
        """With the answer, and the evidence with which it was closed."""

    @acts(_("Answer a finding"), ReplyBody, once=False)
    def reply(self, pk: UUID, data: dict[str, Any]) -> None:
        """For managers and finance of the organisation it is about."""
        finding_reply(self.by, finding_id=pk, **data)

    @acts(_("Send an answer back"), ReturnBody, below="return", once=False)
    def send_back(self, pk: UUID, data: dict[str, Any]) -> None:
        """For auditors: it is not enough."""
        finding_return(self.by, finding_id=pk, **{"due_date": None} | data)

    @acts(_("Close a finding"), CloseBody, once=False)
    def close(self, pk: UUID, data: dict[str, Any]) -> None:
        """For auditors, with what shows that it was put right."""
        finding_close(self.by, finding_id=pk, **data)
