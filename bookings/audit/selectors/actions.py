"""Find the actions agreed on findings, and the files of findings, that a person may see."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.errors import WrongState
from accounts.domain.roles import Actor
from accounts.models import Membership
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import among, visible
from accounts.selectors.zones import DayIn
from bookings.audit.domain.actions import AGREED, DONE, UNFINISHED, require_closable
from bookings.audit.models import AuditAction, AuditFinding, FindingFile
from bookings.audit.selectors.audit import AUDIT, finding_day, findings_for, owned_actions
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing


def actions_for(actor: Actor) -> QuerySet[AuditAction]:
    """Return the actions on the findings that the actor may see, those to be done or verified first, by their
    due day."""
    is_over = Case(When(state__in=UNFINISHED, then=Value(0)), default=Value(1), output_field=IntegerField())
    return (
        AuditAction.objects.filter(among("finding", findings_for(actor).order_by().values("pk")))
        .select_related("finding__organisation__region", "owner")
        .order_by(is_over, "due_date", "id")
    )


def action_for(actor: Actor, action_id: UUID) -> AuditAction:
    """Return an action; `NotFound` if there is none or the actor may not see its finding."""
    return visible(actions_for(actor), pk=action_id)


def actions_in(rows: QuerySet[AuditAction], state: str, now: datetime) -> QuerySet[AuditAction]:
    """Return the actions in a state, or that are `unfinished` or `overdue`."""
    if state == "unfinished":
        return rows.filter(state__in=UNFINISHED)
    if state == "overdue":
        today = DayIn(now, "finding__organisation__region__time_zone")
        return rows.filter(state=AGREED, due_date__lt=today)
    return rows.filter(state=state)


def is_action_overdue(row: AuditAction, now: datetime) -> bool:
    """Return whether an action should have been done by now, in the time zone of its organisation."""
    return row.state == AGREED and row.due_date < finding_day(row.finding, now)


def actions_to_do(actor: Actor, now: datetime) -> QuerySet[AuditAction]:
    """Return the actions that the actor has to do: their own, and those of the organisations whose findings
    they answer."""
    ours = Q(finding__organisation__in=actor.organisations_where("manage-charges"))
    return actions_for(actor).filter(ours | owned_actions(actor), state=AGREED)


def actions_to_verify(actor: Actor, now: datetime) -> QuerySet[AuditAction]:
    """Return the actions that are done and that the actor audits."""
    return audited_actions(actor).filter(state=DONE)


def actions_late(actor: Actor, now: datetime) -> QuerySet[AuditAction]:
    """Return the overdue actions that the actor audits."""
    return actions_in(audited_actions(actor), "overdue", now)


def audited_actions(actor: Actor) -> QuerySet[AuditAction]:
    """Return the actions on findings of the regions that the actor audits."""
    return actions_for(actor).filter(finding__region_ids__overlap=list(actor.regions_where(AUDIT)))


def findings_to_follow_up(actor: Actor, now: datetime) -> QuerySet[AuditFinding]:
    """Return the findings whose day of follow-up has come and that the actor audits."""
    today = DayIn(now, "organisation__region__time_zone")
    return (
        findings_for(actor)
        .filter(region_ids__overlap=list(actor.regions_where(AUDIT)), follow_up_date__lte=today)
        .exclude(state=AuditFinding.State.CLOSED)
    )


def owners_met(actor: Actor) -> QuerySet[Membership]:
    """Return the memberships of the organisations with findings that are not closed and that the actor audits
    or answers: they choose the owners of actions among these people."""
    findings = AuditFinding.objects.filter(
        Q(region_ids__overlap=list(actor.regions_where(AUDIT)))
        | Q(organisation_id__in=actor.organisations_where("manage-charges"))
    ).exclude(state="closed")
    return Membership.objects.filter(
        organisation__in=findings.order_by().values("organisation"), ended_at=None
    )


def finding_actions(finding: AuditFinding) -> list[AuditAction]:
    """Return the actions on a finding with their people and files, in the order in which they were agreed. It
    takes two statements."""
    rows = finding.actions.select_related("owner", "made_by", "done_by", "decided_by")
    return list(rows.prefetch_related("files__added_by").order_by("made_at", "id"))


def why_not_closed(finding: AuditFinding, actions: Iterable[AuditAction], now: datetime) -> WrongState | None:
    """Return why a finding with these actions cannot be closed yet; None if it can be."""
    try:
        require_closable(
            is_answered=bool(finding.reply or finding.no_answer),
            due=finding.due_date,
            unfinished=sum(row.state in UNFINISHED for row in actions),
            follow_up=finding.follow_up_date,
            today=finding_day(finding, now),
        )
    except WrongState as refused:
        return refused
    return None


def finding_files(finding: AuditFinding) -> list[FindingFile]:
    """Return the files attached to a finding itself, in the order in which they were added."""
    return list(finding.files.filter(action=None).select_related("added_by").order_by("added_at", "id"))


def file_for(actor: Actor, file_id: UUID) -> FindingFile:
    """Return a file; `NotFound` if there is none or the actor may not see its finding."""
    rows = FindingFile.objects.filter(among("finding", findings_for(actor).order_by().values("pk")))
    return visible(rows, pk=file_id)


def may_do(actor: Actor, row: AuditAction) -> bool:
    """Return whether the actor may say that an action is done: its owner, as long as they belong to the
    organisation, and those who answer for it."""
    organisation = row.finding.organisation
    owns = row.owner_id == actor.user_id and organisation.pk in actor.organisations
    return owns or actor.may("manage-charges", place_of(organisation))


def _overdue(row: AuditAction, by: Any) -> bool:
    return is_action_overdue(row, by.now)


ACTION_STATES = {
    "unfinished": _("not finished"),
    "overdue": _("overdue"),
    **{state.value: state.label for state in AuditAction.State},
}
ACTIONS = Listing(
    "actions",
    actions_for,
    (
        Column("action", "pk", pgettext_lazy("audit", "Action")),
        Column("text", "text"),
        Column("finding", "finding_id", _("Finding")),
        Column("title", "finding.title"),
        Column("organisation", "finding.organisation.code", _("Organisation"), "finding__organisation__name"),
        Column("organisation_name", "finding.organisation.name"),
        Column("owner", "owner.name", pgettext_lazy("action", "Owner"), "owner__name"),
        Column("due", "due_date", pgettext_lazy("action", "Due"), "due_date"),
        Column("is_overdue", _overdue),
        Column("state", "state", _("State"), "state"),
        Column("done", "done_at"),
        Column("note", "note"),
        Column("decided", "decided_at"),
        Column("reason", "reason"),
    ),
    filters=(
        Filter(
            "state",
            lambda rows, state, by: actions_in(rows, state, by.now),
            CHOICE,
            _("State"),
            choices=list(ACTION_STATES.items()),
        ),
    ),
    waits={"actions": actions_to_do, "actions-done": actions_to_verify, "actions-late": actions_late},
    waits_help="Those that you have to carry out, to verify, or that are overdue where you audit.",
)
