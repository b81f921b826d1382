"""The state of background work, for those who run the platform."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Nothing, Query, Text, checked, query_values
from accounts.domain.roles import Place
from accounts.permissions import require
from accounts.selectors.jobs import TimetableEntry
from accounts.services.jobs import failure_retry
from bookings.operations.domain.failures import cause_of
from bookings.operations.forms.failures import GiveUpBody, RetryBody
from bookings.operations.selectors.failures import load_failures, load_groups, load_named
from bookings.operations.selectors.operations import load_operations
from bookings.operations.services.failures import group_give_up, group_retry

TAG = "operations"


class QueueShape(serializers.Serializer[Any]):
    """A kind of effect in the outbox. `later`: due in the future; `retried`: waiting, and tried without
    success; `failed`: given up."""

    kind = serializers.CharField()
    lane = serializers.CharField()
    due = serializers.IntegerField()
    oldest = Instant(allow_null=True)
    later = serializers.IntegerField()
    retried = serializers.IntegerField()
    failed = serializers.IntegerField()


class WorkShape(serializers.Serializer[Any]):
    """The number of things that are due for a job, and since when."""

    job = serializers.CharField(source="name")
    due = serializers.IntegerField(source="count")
    oldest = Instant(allow_null=True)


class TimetableEntryShape(serializers.Serializer[Any]):
    """An entry of the timetable. `outcome` of its last run: `running`, `done`, `failed`, `passed`
    (another worker had it), `broken` (its worker died)."""

    name = serializers.CharField()
    started_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    outcome = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    done_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True)
    is_overdue = serializers.BooleanField()


class Hours(serializers.IntegerField):
    def to_representation(self, span: Any) -> int:
        return int(span // timedelta(hours=1))


class KeptShape(serializers.Serializer[Any]):
    """A kind of record, and how long it is kept."""

    kind = serializers.CharField()
    hours = Hours(source="span")
    since = serializers.CharField()


class OperationsShape(serializers.Serializer[Any]):
    queues = QueueShape(many=True)
    work = WorkShape(many=True)
    timetable = TimetableEntryShape(many=True)
    retention = KeptShape(many=True)


class FailureShape(serializers.Serializer[Any]):
    """A failure. `cause`: the code of its cause; `to`: the address or host it was for; `due_at` null: it is
    not tried again automatically."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    to = serializers.CharField(allow_blank=True)
    cause = serializers.CharField()
    attempts = serializers.IntegerField()
    error = serializers.CharField()
    first_at = Instant()
    last_at = Instant()
    due_at = Instant(allow_null=True)


class FailuresShape(serializers.Serializer[Any]):
    failures = FailureShape(many=True)


class FailureGroupShape(serializers.Serializer[Any]):
    """Failures of the same work with the same cause. `ended`: how many are not tried again automatically;
    `due_at`: when the next is tried again."""

    name = serializers.CharField()
    cause = serializers.CharField()
    number = serializers.IntegerField()
    ended = serializers.IntegerField()
    first_at = Instant()
    last_at = Instant()
    due_at = Instant(allow_null=True)
    may_give_up = serializers.BooleanField()


class FailureGroupsShape(serializers.Serializer[Any]):
    groups = FailureGroupShape(many=True)


class FailureQuery(Query):
    name = Text(60, default="", help_text="Name of a kind of effect, or of a job.")
    cause = Text(60, default="", help_text="Code of a cause.")


class RetriedShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    count = serializers.IntegerField()


class OperationsState(Endpoint):
    needs_person = True

    @operation("operations", _("Scheduled jobs"), tag=TAG, gives=OperationsShape)
    def get(self, request: Request) -> Response:
        """Return queues, due work, and the timetable. Only administrators may read this."""
        require(self.actor, "administer", Place(None))
        state = load_operations(self.now)
        shown = {
            "queues": state.queues,
            "work": state.work,
            "timetable": [_entry(entry) for entry in state.entries],
            "retention": state.retention,
        }
        return Response(rendered(OperationsShape, shown))


def _entry(entry: TimetableEntry) -> dict[str, Any]:
    run = entry.run
    return {
        "name": entry.name,
        "started_at": run.started_at if run else None,
        "ended_at": run.ended_at if run else None,
        "outcome": "broken" if entry.is_broken else run.outcome if run else None,
        "error": run.error if run else "",
        "done_at": entry.done_at,
        "due_at": entry.due_at,
        "is_overdue": entry.is_overdue,
    }


class Failures(Endpoint):
    needs_person = True

    @operation("operations_failures", _("Failed jobs"), tag=TAG, query=FailureQuery, gives=FailuresShape)
    def get(self, request: Request) -> Response:
        """Return the failures, the latest first, at most 200. Only administrators may read this."""
        require(self.actor, "administer", Place(None))
        named = load_named(load_failures(**query_values(FailureQuery, request.query_params)))
        rows = [{**vars(one.failure), "cause": cause_of(one.failure.error)} for one in named]
        return Response(rendered(FailuresShape, {"failures": rows}))

    @operation(
        "operations_retry_all",
        _("Retry all failures of a kind"),
        tag=TAG,
        takes=RetryBody,
        gives=RetriedShape,
        sends={"name": "mail.confirmed"},
        answers={"name": "mail.confirmed", "count": 3},
    )
    def post(self, request: Request) -> Response:
        """Retry failures at once; each gets as many attempts as new work. Only administrators may do this."""
        body = checked(RetryBody, request.data)
        return Response({"name": body["name"], "count": group_retry(self.by, **body)})


class FailureGroups(Endpoint):
    needs_person = True

    @operation("operations_failure_groups", _("Failures by cause"), tag=TAG, gives=FailureGroupsShape)
    def get(self, request: Request) -> Response:
        """Return all failures, grouped by name and cause, the latest first. Only administrators may read
        this."""
        require(self.actor, "administer", Place(None))
        return Response(rendered(FailureGroupsShape, {"groups": load_groups()}))


class FailuresGiveUp(Endpoint):
    needs_person = True

    @operation(
        "operations_give_up",
        _("Give up failures"),
        tag=TAG,
        takes=GiveUpBody,
        gives=RetriedShape,
        refuses=[409],
        sends={"name": "letter.send", "cause": "no-mailbox", "reason": "They left in May."},
        answers={"name": "letter.send", "count": 3},
    )
    def post(self, request: Request) -> Response:
        """End the attempts at failed work: it is not carried out. The work of jobs is never given up
        (`never-given-up`). Only administrators may do this."""
        body = checked(GiveUpBody, request.data)
        return Response({"name": body["name"], "count": group_give_up(self.by, **body)})


class FailureRetry(Endpoint):
    needs_person = True

    @operation(
        "operations_retry",
        _("Try again"),
        tag=TAG,
        takes=Nothing,
        gives=RetriedShape,
        refuses=[404],
        answers={"name": "mail.confirmed", "count": 1},
    )
    def post(self, request: Request, failure_id: UUID) -> Response:
        """Retry one failure at once. Only administrators may do this."""
        checked(Nothing, request.data)
        name = failure_retry(self.by, failure_id=failure_id)
        return Response({"name": name, "count": 1})
