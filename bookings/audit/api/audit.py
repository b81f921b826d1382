"""The auditors' desk: exceptions, runs and samples, findings."""

from collections.abc import Container, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Day,
    Flag,
    Instant,
    ListOf,
    Shape,
    Text,
    Whole,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.roles import Actor
from bookings.audit.domain.audit import RULES
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
from bookings.audit.services.sampling import Sampling, sample_draw
from bookings.record.api.files import CSV, FileEndpoint
from bookings.record.messages import sentence
from instruments.models import Instrument


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
    instrument = serializers.UUIDField(allow_null=True, help_text="That it is about, if any.")
    instrument_name = serializers.CharField(allow_null=True)
    organisation = serializers.CharField()
    happened_at = Instant()
    found_at = Instant()
    state = serializers.ChoiceField(AuditException.State.choices)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = serializers.CharField(allow_null=True)
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
    full = serializers.BooleanField()
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
    currency = serializers.CharField(allow_null=True)
    seed = serializers.CharField()
    size = serializers.IntegerField()
    population = serializers.CharField()
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
    organisation = serializers.CharField()
    severity = serializers.ChoiceField(AuditFinding.Severity.choices)
    title = serializers.CharField()
    text = serializers.CharField()
    exception = serializers.UUIDField(allow_null=True)
    sample = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(AuditFinding.State.choices)
    due_date = serializers.DateField()
    raised_by = serializers.CharField()
    raised_at = Instant()
    reply = serializers.CharField(allow_null=True)
    replied_by = serializers.CharField(allow_null=True)
    replied_at = Instant(allow_null=True)
    note = serializers.CharField(allow_null=True)
    evidence = serializers.CharField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True)
    closed_at = Instant(allow_null=True)
    is_own = serializers.BooleanField(help_text="Your own case: another auditor decides.")
    version = serializers.IntegerField()


class FindingDetailShape(FindingShape):
    """With what the finding refers to; for whoever answers it as far as it is their own
    organisation's affair."""

    rule = serializers.CharField(allow_null=True, help_text="Of the exception that led to it.")
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


def _moment(value: Any) -> str | None:
    return rfc3339(value) if value else None


def _name(person: Any) -> str | None:
    return str(person) if person else None


def exceptions_json(actor: Actor, rows: Sequence[AuditException]) -> list[dict[str, Any]]:
    """Three statements, however many."""
    own, instruments = own_exceptions(actor, rows), instruments_behind(rows)
    return [exception_json(row, own, instruments.get(row.pk)) for row in rows]


def exception_json(
    row: AuditException, own: Container[UUID], instrument: Instrument | None
) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "rule": row.rule,
        "rule_version": row.rule_version,
        "parameters": row.parameters,
        "numbers": row.numbers,
        "evidence": row.evidence,
        "instrument": str(instrument.pk) if instrument else None,
        "instrument_name": instrument.name if instrument else None,
        "organisation": row.organisation.code,
        "happened_at": rfc3339(row.happened_at),
        "found_at": rfc3339(row.found_at),
        "state": row.state,
        "decided_by": _name(row.decided_by),
        "decided_at": _moment(row.decided_at),
        "reason": row.reason or None,
        "is_own": row.pk in own,
        "version": row.version,
    }


def run_json(row: AuditRun) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "started_at": rfc3339(row.started_at),
        "full": row.is_full,
        "looked_at": row.looked_at,
        "counts": row.counts,
    }


def sample_json(row: AuditSample) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "subject": row.subject,
        "method": row.method,
        "since": row.since.isoformat(),
        "until": row.until.isoformat(),
        "currency": row.currency or None,
        "seed": row.seed,
        "size": row.size,
        "population": bytes(row.digest).hex(),
        "count": row.count,
        "drawn": row.drawn,
        "made_by": str(row.made_by),
        "made_at": rfc3339(row.made_at),
    }


def finding_json(row: AuditFinding, own: Container[UUID]) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "organisation": row.organisation.code,
        "severity": row.severity,
        "title": row.title,
        "text": row.text,
        "exception": str(row.exception_id) if row.exception_id else None,
        "sample": str(row.sample_id) if row.sample_id else None,
        "state": row.state,
        "due_date": row.due_date.isoformat(),
        "raised_by": str(row.raised_by),
        "raised_at": rfc3339(row.raised_at),
        "reply": row.reply or None,
        "replied_by": _name(row.replied_by),
        "replied_at": _moment(row.replied_at),
        "note": row.note or None,
        "evidence": row.evidence or None,
        "closed_by": _name(row.closed_by),
        "closed_at": _moment(row.closed_at),
        "is_own": row.pk in own,
        "version": row.version,
    }


class AuditEndpoint(Endpoint):
    needs_person = True

    def one_exception(self, exception_id: UUID) -> Response:
        row = exception_for(self.actor, exception_id)
        (shown,) = exceptions_json(self.actor, [row])
        return Response(shown, headers=etag(row.version))

    def one_finding(self, finding_id: UUID, status: int = 200) -> Response:
        row = finding_for(self.actor, finding_id)
        shown = {
            **finding_json(row, own_findings(self.actor, [row])),
            "rule": row.exception.rule if row.exception else None,
            "numbers": row.exception.numbers if row.exception else {},
            "records": finding_records(self.actor, row),
        }
        return Response(shown, status=status, headers=etag(row.version))


class Exceptions(AuditEndpoint):
    only_reads = True

    @operation(
        "audit_exceptions",
        _("Exceptions"),
        tag="audit",
        query=ExceptionQuery,
        gives=page(ExceptionShape),
    )
    def get(self, request: Request) -> Response:
        """Of an auditor's regions, what happened last first; empty for others."""
        query = asked(ExceptionQuery, request.query_params)
        rows = exceptions_where(
            self.actor,
            rule=query["rule"],
            state=query.get("state", ""),
            organisation=query["organisation"],
            region=query["region"],
        )
        return paginated(
            request,
            rows,
            query,
            ("-happened_at", "-id"),
            lambda found: exceptions_json(self.actor, found),
        )


class ExceptionsDecide(AuditEndpoint):
    @operation(
        "audit_exceptions_decide",
        _("Classify several exceptions"),
        tag="audit",
        takes=ExceptionsBody,
        gives=DecidedShape,
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For auditors: one state and reason for all. Each is decided by itself; one that is your
        own case, or was changed meanwhile, is named in `refused` and stays as it was."""
        data = checked(ExceptionsBody, request.data)
        chosen = [(each["id"], each.get("version")) for each in data.pop("exceptions")]

        def decide() -> Response:
            done, refused = exceptions_decide(actor=self.actor, chosen=chosen, now=self.now, **data)
            return Response(
                {
                    "decided": exceptions_json(self.actor, done),
                    "refused": [
                        {
                            "id": str(pk),
                            "code": error.code,
                            "message": sentence(error.code, error.numbers),
                        }
                        for pk, error in refused
                    ],
                }
            )

        return self.once(decide)


class ExceptionDetail(AuditEndpoint):
    @operation(
        "audit_exception", _("One exception"), tag="audit", gives=ExceptionShape, refuses=[404]
    )
    def get(self, request: Request, exception_id: UUID) -> Response:
        """With its rule, its numbers and the rows behind it."""
        return self.one_exception(exception_id)

    @operation(
        "audit_exception_decide",
        _("Classify an exception"),
        tag="audit",
        takes=ExceptionBody,
        gives=ExceptionShape,
        refuses=[404, 409],
        versioned=True,
    )
    def patch(self, request: Request, exception_id: UUID) -> Response:
        """Under review, or explained with the reason. One that is confirmed becomes a finding:
        POST one that names it."""
        data = checked(ExceptionBody, request.data)
        exception_move(
            actor=self.actor,
            exception_id=exception_id,
            now=self.now,
            expected_version=expected_version(request),
            **data,
        )
        return self.one_exception(exception_id)


class Runs(AuditEndpoint):
    @operation(
        "audit_run",
        _("Run the rules"),
        tag="audit",
        takes=RunBody,
        gives=RunShape,
        status=201,
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For auditors; a job does so every night. What was found before stays as it is."""
        data = checked(RunBody, request.data)

        def run() -> Response:
            done = exceptions_find(now=self.now, actor=self.actor, full=data["full"])
            return Response(run_json(done), status=201)

        return self.once(run)


class Samples(AuditEndpoint):
    @operation(
        "audit_samples",
        pgettext_lazy("audit", "Samples"),
        tag="audit",
        query=Pages,
        gives=page(SampleShape),
    )
    def get(self, request: Request) -> Response:
        """Of an auditor's regions, the newest first; empty for others."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            samples_for(self.actor),
            query,
            ("-made_at", "-id"),
            lambda found: [sample_json(row) for row in found],
        )

    @operation(
        "audit_sample_draw",
        _("Draw a sample"),
        tag="audit",
        takes=SampleBody,
        gives=SampleShape,
        status=201,
        refuses=[409],
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """The population of your regions is frozen and hashed with it."""
        data = checked(SampleBody, request.data)

        def draw() -> Response:
            made = sample_draw(actor=self.actor, asked=Sampling(**data), now=self.now)
            return Response(sample_json(sample_for(self.actor, made.pk)), status=201)

        return self.once(draw)


class SampleDetail(AuditEndpoint):
    only_reads = True

    @operation("audit_sample", _("One sample"), tag="audit", gives=SampleShape, refuses=[404])
    def get(self, request: Request, sample_id: UUID) -> Response:
        """With its seed and what was drawn."""
        return Response(sample_json(sample_for(self.actor, sample_id)))


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


class Findings(AuditEndpoint):
    @operation("audit_findings", _("Findings"), tag="audit", query=Pages, gives=page(FindingShape))
    def get(self, request: Request) -> Response:
        """Of an auditor's regions; of your organisation what it has to answer."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            findings_for(self.actor),
            query,
            ("-raised_at", "-id"),
            lambda found: [
                finding_json(row, own) for own in [own_findings(self.actor, found)] for row in found
            ],
        )

    @operation(
        "audit_finding_raise",
        _("Raise a finding"),
        tag="audit",
        takes=FindingBody,
        gives=FindingDetailShape,
        status=201,
        refuses=[404, 409],
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """For auditors. The organisation is told, and reminded until it has answered."""
        data = checked(FindingBody, request.data)
        raised = Raised(
            severity=data["severity"],
            title=data["title"],
            text=data["text"],
            due_date=data.get("due_date"),
            exception_id=data.get("exception"),
            sample_id=data.get("sample"),
            organisation=data["organisation"],
        )

        def make() -> Response:
            made = finding_raise(actor=self.actor, raised=raised, now=self.now)
            return self.one_finding(made.pk, status=201)

        return self.once(make)


class FindingDetail(AuditEndpoint):
    only_reads = True

    @operation(
        "audit_finding", _("One finding"), tag="audit", gives=FindingDetailShape, refuses=[404]
    )
    def get(self, request: Request, finding_id: UUID) -> Response:
        """With the answer, and the evidence with which it was closed."""
        return self.one_finding(finding_id)


class FindingReply(AuditEndpoint):
    @operation(
        "audit_finding_reply",
        _("Answer a finding"),
        tag="audit",
        takes=ReplyBody,
        gives=FindingDetailShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, finding_id: UUID) -> Response:
        """For managers and finance of the organisation it is about."""
        finding_reply(
            actor=self.actor,
            finding_id=finding_id,
            now=self.now,
            expected_version=expected_version(request),
            **checked(ReplyBody, request.data),
        )
        return self.one_finding(finding_id)


class FindingReturn(AuditEndpoint):
    @operation(
        "audit_finding_return",
        _("Send an answer back"),
        tag="audit",
        takes=ReturnBody,
        gives=FindingDetailShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, finding_id: UUID) -> Response:
        """For auditors: it is not enough."""
        data = checked(ReturnBody, request.data)
        finding_return(
            actor=self.actor,
            finding_id=finding_id,
            note=data["note"],
            due_date=data.get("due_date"),
            now=self.now,
            expected_version=expected_version(request),
        )
        return self.one_finding(finding_id)


class FindingClose(AuditEndpoint):
    @operation(
        "audit_finding_close",
        _("Close a finding"),
        tag="audit",
        takes=CloseBody,
        gives=FindingDetailShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, finding_id: UUID) -> Response:
        """For auditors, with what shows that it was put right."""
        finding_close(
            actor=self.actor,
            finding_id=finding_id,
            now=self.now,
            expected_version=expected_version(request),
            **checked(CloseBody, request.data),
        )
        return self.one_finding(finding_id)
