"""The auditors' desk: exceptions, runs and samples, findings."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, reads
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Flag, Instant, ListOf, Money, Shape, Text, TextOrNull, Whole
from bookings.audit.api.actions import ActionBody, ActionShape, FindingFileBody, FindingFileShape
from bookings.audit.domain.sampling import Sampling
from bookings.audit.forms.actions import AgreeForm
from bookings.audit.forms.audit import (
    CloseForm,
    ExceptionForm,
    FollowUpForm,
    ReplyForm,
    ReturnForm,
    UnansweredForm,
)
from bookings.audit.forms.risk import DecideAllBody
from bookings.audit.models import AuditAction, AuditException, AuditFinding, AuditRun, AuditSample
from bookings.audit.selectors import actions, audit
from bookings.audit.selectors.sampling import population_of
from bookings.audit.services import actions as action_services
from bookings.audit.services import findings
from bookings.audit.services.audit import exception_move, exceptions_decide, exceptions_find
from bookings.audit.services.bulk import Verdict, exceptions_decide_all
from bookings.audit.services.sampling import sample_draw
from bookings.record.api.files import CSV, FileEndpoint
from bookings.record.api.lists import listed
from bookings.record.api.shapes import Hex
from bookings.record.messages import sentence


class EvidenceShape(serializers.Serializer[Any]):
    """A row that an exception is based on."""

    type = serializers.CharField()
    id = serializers.UUIDField()


class PersonPartShape(serializers.Serializer[Any]):
    """A person in what an exception is about, and their part in it."""

    part = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()

    def get_part(self, pair: tuple[Any, Any]) -> str:
        return str(pair[0])

    def get_name(self, pair: tuple[Any, Any]) -> str:
        return str(pair[1])


class ExceptionShape(serializers.Serializer[Any]):
    """An exception that one version of a rule has found; `numbers` are the values that the rule saw."""

    id = serializers.UUIDField()
    rule = serializers.CharField()
    rule_version = serializers.IntegerField()
    parameters = serializers.DictField()
    numbers = serializers.DictField()
    evidence = EvidenceShape(many=True)
    instrument = serializers.UUIDField(
        allow_null=True, source="about.pk", help_text="The instrument that the exception is about, if any."
    )
    instrument_name = serializers.CharField(allow_null=True, source="about.name")
    people = PersonPartShape(many=True)
    amount = Money(allow_null=True, help_text="What is at stake, if that is known.")
    risk = serializers.IntegerField(
        help_text="From 1 to 100: `weight` times `severity_percent`, rounded; 0 until it is computed."
    )
    weight = serializers.IntegerField(allow_null=True, help_text="The rule's on the day it was found.")
    severity_percent = serializers.IntegerField(allow_null=True, source="share")
    organisation = serializers.CharField(source="organisation.code")
    happened_at = Instant()
    found_at = Instant()
    state = serializers.ChoiceField(AuditException.State.choices)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = Instant(allow_null=True)
    reason = TextOrNull()
    is_own = serializers.BooleanField(
        help_text="Whether this is your own case, on which another auditor must decide."
    )
    version = serializers.IntegerField()


class ExceptionBody(Shape):
    state = Choice([("review", "review"), ("explained", "explained")])
    reason = Text(1000, default="", allow_blank=True, help_text="Required if the exception is explained.")


class ChosenBody(Shape):
    id = serializers.UUIDField()
    version = Whole(
        min_value=1,
        required=False,
        help_text="The version that you read; the request is refused if it has changed since.",
    )


class ExceptionsBody(ExceptionBody):
    exceptions = ListOf(child=ChosenBody(), min_length=1)


class NotDecidedShape(serializers.Serializer[Any]):
    """An exception that was not decided, and why."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    message = serializers.CharField()


class DecidedShape(serializers.Serializer[Any]):
    decided = ExceptionShape(many=True)
    refused = NotDecidedShape(many=True)


class DecidedAllShape(serializers.Serializer[Any]):
    """How many exceptions were decided, how many are your own cases and stayed, and the finding, if any."""

    decided = serializers.IntegerField()
    own = serializers.IntegerField()
    finding = serializers.UUIDField(allow_null=True)


class RunShape(serializers.Serializer[Any]):
    """A run of the rules. `counts`: the number of new exceptions by rule."""

    id = serializers.UUIDField()
    started_at = Instant()
    full = serializers.BooleanField(source="is_full")
    looked_at = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())


class RunBody(Shape):
    full = Flag(default=False, help_text="Check everything, not only what happened since the last run.")


class SampleShape(serializers.Serializer[Any]):
    """A sample. `population` is SHA-256 over the frozen population; `drawn` are the ids of the rows drawn."""

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
    seed = Text(64, default="", allow_blank=True, help_text="Seed of the sample. Empty: a random one.")
    currency = Text(3, default="", allow_blank=True, help_text="Required for the method `monetary`.")


class FindingShape(serializers.Serializer[Any]):
    """A finding: what is wrong, and how it was corrected."""

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
    follow_up_date = serializers.DateField(
        allow_null=True, help_text="The day from which the auditor verifies what was done."
    )
    no_answer = TextOrNull(help_text="The auditor's statement that no answer was received.")
    no_answer_by = serializers.CharField(allow_null=True)
    no_answer_at = Instant(allow_null=True)
    evidence = TextOrNull()
    closed_by = serializers.CharField(allow_null=True)
    closed_at = Instant(allow_null=True)
    is_own = serializers.BooleanField(
        help_text="Whether this is your own case, on which another auditor must decide."
    )
    version = serializers.IntegerField()


class FindingDetailShape(FindingShape):
    """A finding with the records behind it, of which the audited party sees only those of its own
    organisation, with the actions agreed on it, and with files."""

    rule = serializers.CharField(
        allow_null=True,
        source="exception.rule",
        help_text="The rule that found the exception behind the finding.",
    )
    numbers = serializers.DictField(help_text="The figures that the rule found.")
    records = EvidenceShape(
        many=True, help_text="The records behind the exception, or those drawn in the sample."
    )
    actions = ActionShape(many=True, source="agreed")
    files = FindingFileShape(many=True)


class FindingBody(Shape):
    """A finding to raise. With `exception`, it confirms that exception and is about its organisation; without
    it, give `organisation`."""

    severity = Choice(AuditFinding.Severity.choices)
    title = Text(200)
    text = Text(5000)
    due_date = Day(required=False, allow_null=True, help_text="Default: a date that depends on the severity.")
    follow_up_date = Day(
        required=False, allow_null=True, help_text="Until this day the finding cannot be closed."
    )
    exception = serializers.UUIDField(required=False, allow_null=True)
    sample = serializers.UUIDField(required=False, allow_null=True)
    organisation = Text(40, default="", allow_blank=True, help_text="Code of the organisation.")


class ReplyBody(Shape):
    reply = Text(5000)


class ReturnBody(Shape):
    note = Text(5000)
    due_date = Day(required=False, allow_null=True)


class UnansweredBody(Shape):
    statement = Text(5000)


class FollowUpBody(Shape):
    follow_up_date = Day(allow_null=True)


class CloseBody(Shape):
    evidence = Text(5000)


NOTED = _("Noted, with your name and the time.")


class AuditResource(Resource):
    tag = "audit"
    needs_person = True


class Exceptions(AuditResource):
    at, key, name = "audit/exceptions/", "exception_id", "audit_exception"
    many, shape, order = "audit_exceptions", ExceptionShape, ("-risk", "-id")
    page_name = "exception"

    def visible(self, pk: UUID) -> AuditException:
        return audit.exception_for(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Add to each exception whether it is the actor's own case, and the instrument it is about. It takes
        eight statements, whatever the number."""
        own = audit.own_exceptions(self.actor, rows)
        for row in rows:
            row.is_own = row.pk in own
        return audit.with_details(rows)

    @listed(_("Exceptions"), audit.EXCEPTIONS)
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditException]:
        """List the exceptions of your regions if you are an auditor, the riskiest first; empty for others."""
        return audit.exceptions_for(self.actor)

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
        """Give several exceptions the same state and reason, as an auditor. Each is decided separately; one
        that is your own case, or was changed meanwhile, is listed in `refused` and stays as it was."""
        data["chosen"] = [(each["id"], each.get("version")) for each in data.pop("exceptions")]
        done, refused = exceptions_decide(self.by, **data)
        return {
            "decided": self.prepared(done),
            "refused": [
                {"id": pk, "code": error.code, "message": sentence(error.code, error.numbers)}
                for pk, error in refused
            ],
        }

    @acts(
        _("Decide all exceptions of a rule"),
        DecideAllBody,
        below="*decide-all",
        named="audit_exceptions_decide_all",
        address="api-audit-exceptions-decide-all",
        gives=DecidedAllShape,
        refuses=[409],
        versioned=False,
    )
    def decide_all(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give all exceptions of a rule and an organisation that match the other filters one decision, as an
        auditor, in one transaction: `explained` with a reason, or `confirmed` by one finding
        for all. At most 500; your own cases stay as they are."""
        names = ("rule", "organisation", "region", "since", "until")
        of = {name: data.pop(name) for name in names if name in data}
        count = data.pop("count")
        result = exceptions_decide_all(self.by, of=of, count=count, verdict=Verdict(**data))
        finding = result.finding and result.finding.pk
        return {"decided": result.decided, "own": result.own, "finding": finding}

    @reads(_("An exception"))
    def detail(self, pk: UUID) -> None:
        """Return an exception with its rule, its numbers and the rows behind it."""

    @OnPage("bookings:exception", done=NOTED, form=ExceptionForm, below="decide")
    @changes(_("Classify an exception"), ExceptionBody, named="_decide", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Put an exception under review, or explain it with a reason. To confirm one, create a finding that
        names it."""
        exception_move(self.by, exception_id=pk, **data)


class Runs(AuditResource):
    at, key, name, many = "audit/runs/", "run_id", "audit_run", "audit_runs"

    @creates(_("Run the rules"), RunBody, named="", gives=RunShape)
    def run(self, data: dict[str, Any]) -> AuditRun:
        """Run the rules of the audit. Auditors may do this; a job does so every night. Earlier exceptions
        stay as they are."""
        return exceptions_find(self.by, **data)


class Samples(AuditResource):
    at, key = "audit/samples/", "sample_id"
    name, many, shape, order = "audit_sample", "audit_samples", SampleShape, ("-made_at", "-id")

    def visible(self, pk: UUID) -> AuditSample:
        return audit.sample_for(self.actor, pk)

    def location(self, row: AuditSample) -> str:
        return ""

    @lists(pgettext_lazy("audit", "Samples"))
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditSample]:
        """List the samples of your regions if you are an auditor, newest first; empty for others."""
        return audit.samples_for(self.actor)

    @creates(_("Draw a sample"), SampleBody, named="_draw", refuses=[409])
    def draw(self, data: dict[str, Any]) -> UUID:
        """Draw a sample. The population of your regions is frozen and hashed with it."""
        return sample_draw(self.by, sampling=Sampling(**data)).pk

    @reads(_("A sample"))
    def detail(self, pk: UUID) -> None:
        """Return a sample with its seed and the rows drawn."""


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
        """Return the population as it was frozen; `draw_sample.py` draws the same rows from it."""
        row = audit.sample_for(self.actor, sample_id)
        return self.file(population_of(row), CSV, f"population-{row.pk}.csv")


class Findings(AuditResource):
    at, key, name = "audit/findings/", "finding_id", "audit_finding"
    many, shape, order = "audit_findings", FindingDetailShape, ("-raised_at", "-id")
    page_name = "finding"

    def visible(self, pk: UUID) -> Any:
        row: Any = audit.finding_for(self.actor, pk)
        row.numbers = row.exception.numbers if row.exception else {}
        row.records = audit.finding_records(self.actor, row)
        row.agreed = actions.finding_actions(row)
        return row

    def prepared(self, rows: list[Any]) -> list[Any]:
        own = audit.own_findings(self.actor, rows)
        for row in rows:
            row.is_own = row.pk in own
        return rows

    def location(self, row: AuditFinding) -> str:
        return ""

    @listed(_("Findings"), audit.FINDINGS, gives=FindingShape)
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditFinding]:
        """List the findings of the regions you audit, and those that your organisation has to answer."""
        return audit.findings_for(self.actor)

    @creates(_("Raise a finding"), FindingBody, named="_raise", refuses=[404, 409])
    def create(self, data: dict[str, Any]) -> UUID:
        """Raise a finding, as an auditor. The organisation is told, and reminded until it has answered."""
        for name in ("exception", "sample"):
            data[f"{name}_id"] = data.pop(name, None)
        return findings.finding_raise(self.by, raised=findings.Raised(**data)).pk

    @reads(_("A finding"))
    def detail(self, pk: UUID) -> None:
        """Return a finding with its answer, and the evidence with which it was closed."""

    @OnPage("bookings:finding", done=NOTED, form=ReplyForm, name="reply_form")
    @acts(_("Answer a finding"), ReplyBody, once=False)
    def reply(self, pk: UUID, data: dict[str, Any]) -> None:
        """Answer a finding, as manager or finance of the organisation that it is about."""
        findings.finding_reply(self.by, finding_id=pk, **data)

    @OnPage("bookings:finding", done=NOTED, form=ReturnForm, name="return_form")
    @acts(_("Send an answer back"), ReturnBody, below="return", once=False)
    def send_back(self, pk: UUID, data: dict[str, Any]) -> None:
        """Send an answer to a finding back, as an auditor, if it is not enough."""
        findings.finding_return(self.by, finding_id=pk, **{"due_date": None} | data)

    @OnPage("bookings:finding", done=NOTED, form=CloseForm, name="close_form")
    @acts(_("Close a finding"), CloseBody, once=False)
    def close(self, pk: UUID, data: dict[str, Any]) -> None:
        """Close a finding, as an auditor, with evidence that the matter was corrected. It must have been
        answered, or a statement says that no answer was received; all its actions must be verified or
        withdrawn, and the day of its follow-up must have come."""
        findings.finding_close(self.by, finding_id=pk, **data)

    @OnPage("bookings:finding", done=NOTED, form=UnansweredForm, name="unanswered_form")
    @acts(_("State that no answer was received"), UnansweredBody, once=False)
    def unanswered(self, pk: UUID, data: dict[str, Any]) -> None:
        """State, as an auditor and with the reason, that no answer was received although the finding is
        overdue. It can then be closed; until then the organisation can still answer."""
        findings.finding_unanswered(self.by, finding_id=pk, **data)

    @OnPage("bookings:finding", done=NOTED, form=FollowUpForm, name="follow_up_form")
    @acts(_("Set the follow-up of a finding"), FollowUpBody, once=False)
    def follow_up(self, pk: UUID, data: dict[str, Any]) -> None:
        """Set the day from which you verify, as an auditor, what was done about a finding; null removes
        it."""
        findings.finding_follow_up(self.by, finding_id=pk, **data)

    @OnPage("bookings:finding", done=NOTED, form=AgreeForm, name="agree_form", part="#actions", below="agree")
    @acts(
        _("Add an agreed action"),
        ActionBody,
        below="actions",
        named="_action_add",
        gives=ActionShape,
        status=201,
        refuses=[403, 404, 409],
    )
    def agree(self, pk: UUID, data: dict[str, Any]) -> AuditAction:
        """Add an action that was agreed on a finding, as the auditor or as the organisation. Its owner, a
        member of the organisation, is told, and reminded before it is due."""
        return action_services.action_add(self.by, finding_id=pk, **data)


class Attaching(AuditResource):
    """The operation that attaches a file to a finding."""

    at, key, name = "audit/findings/", "finding_id", "audit_finding"
    many, shape = "audit_findings", FindingDetailShape
    parser_classes = [MultiPartParser]

    visible, prepared, location = Findings.visible, Findings.prepared, Findings.location

    @acts(
        _("Attach a file to a finding"),
        FindingFileBody,
        below="attachments",
        named="_attach",
        status=201,
        versioned=False,
        refuses=[403, 404, 409],
    )
    def attach(self, pk: UUID, data: dict[str, Any]) -> None:
        """Attach a file to a finding or to one of its actions, sent as `multipart/form-data`. The type of the
        file is determined from its content, as for attachments of instruments."""
        files = [(data["name"], data["file"])]
        action_services.finding_attach(self.by, finding_id=pk, files=files, action_id=data.get("action"))
