"""The manifest of *audit*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_PLATFORM, GONE, KEPT, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import AUDITOR, FINANCE, MANAGER
from accounts.menu import FIGURES, Below, MenuEntry, Waits, has, may, signed_in
from accounts.selectors.choosing import meeting
from bookings.audit.messages import ACTS, REFUSALS
from bookings.audit.models import (
    AuditAction,
    AuditException,
    AuditFinding,
    AuditPaper,
    AuditRun,
    AuditSample,
    FindingFile,
    RiskWeight,
    TrailBundle,
)
from bookings.audit.selectors import actions, audit

AREA = Area(
    "bookings.audit",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:audit", _("Audit"), "shield-check", FIGURES, 30, has("auditor")),),
    below=(
        Below("bookings:money", "findings finding finding-reply finding-attach actions action-done"),
        Below(
            "bookings:audit",
            "exceptions exceptions-run exceptions-decide exceptions-all risk-weights exception"
            " exception-decide exception-confirm findings finding"
            " finding-reply finding-return finding-close finding-unanswered finding-follow-up finding-attach"
            " finding-agree actions action-done action-change action-verify action-return action-withdraw"
            " audit-report papers papers-new paper samples sample trail story seals seal-now"
            " bundle bundle-later bundle-file proof",
        ),
    ),
    waits=(
        Waits(
            "exceptions", 140, "bookings:exceptions",
            ngettext_lazy("exception to review", "exceptions to review"),
            _("A rule detected them; nobody has looked at them yet."), has("auditor"),
            lambda actor, now: audit.exceptions_for(actor).filter(state=AuditException.State.OPEN),
            query="?state=open", entry="bookings:audit", group="state",
        ),
        Waits(
            "replies", 150, "bookings:findings",
            ngettext_lazy("reply to a finding to read", "replies to findings to read"),
            _("Read what was done about it: close the finding, or return it."), has("auditor"),
            lambda actor, now: audit.findings_for(actor).filter(state=AuditFinding.State.REPLIED),
            query="?state=replied", entry="bookings:audit", group="state", due="due_date",
        ),
        Waits(
            "overdue", 160, "bookings:findings", ngettext_lazy("finding overdue", "findings overdue"),
            _("The organisation has not answered in time."), has("auditor"),
            lambda actor, now: audit.findings_in(audit.findings_for(actor), "overdue", now),
            query="?state=overdue", entry="bookings:audit", group="state", due="due_date", watched=True,
        ),
        Waits(
            "findings", 300, "bookings:findings", ngettext_lazy("finding to answer", "findings to answer"),
            _("An auditor asks what was wrong and what is being done about it."),
            may("manage-charges"), audit.findings_to_answer,
            query="?state=open", entry="bookings:money", group="state", due="due_date",
        ),
        Waits(
            "actions", 301, "bookings:actions",
            ngettext_lazy("action on a finding to carry out", "actions on findings to carry out"),
            _("It was agreed with an auditor. Report when it is done."), signed_in, actions.actions_to_do,
            query="?waits=actions", entry="bookings:money", group="state", due="due_date",
        ),
        Waits(
            "actions-done", 151, "bookings:actions", ngettext_lazy("action to verify", "actions to verify"),
            _("Its owner says that it is done: verify it, or send it back."), has("auditor"),
            actions.actions_to_verify,
            query="?waits=actions-done", entry="bookings:audit", group="state", due="due_date",
        ),
        Waits(
            "actions-late", 161, "bookings:actions", ngettext_lazy("action overdue", "actions overdue"),
            _("Its owner has not reported it as done in time."), has("auditor"), actions.actions_late,
            query="?waits=actions-late", entry="bookings:audit", group="state", due="due_date", watched=True,
        ),
        Waits(
            "follow-ups", 152, "bookings:findings",
            ngettext_lazy("finding to follow up", "findings to follow up"),
            _("The day has come to verify what was done about it."), has("auditor"),
            actions.findings_to_follow_up,
            query="?state=follow_up", entry="bookings:audit", group="state", due="follow_up_date",
        ),
    ),
    records=(
        Record(AuditRun, kind=_("run of the audit rules")),
        Record(RiskWeight, "rule", kind=_("weight of an audit rule"), acts="riskweight"),
        # The name of an exception is the code of its rule.
        Record(
            AuditException, "rule", at="happened_at",
            kind=_("exception"), acts="exception", page="bookings:exception", seen=audit.exceptions_for,
        ),
        Record(
            AuditFinding, "title",
            kind=_("finding"), acts="finding", page="bookings:finding", seen=audit.findings_for,
        ),
        Record(
            AuditAction, "text", kind=_("agreed action"), acts="action", at="made_at",
        ),
        Record(AuditPaper, "subject", acts="paper", at="created_at"),
        Record(
            AuditSample, "seed", at="made_at",
            kind=_("sample of the audit"), acts="sample", page="bookings:sample", seen=audit.samples_for,
        ),
    ),
    acts=ACTS,
    joins=((meeting, actions.owners_met),),
    topics=(
        Topic(
            "audit", _("Audit desk"), _("findings: raised, answered, due"), 240,
            roles=frozenset({AUDITOR, MANAGER, FINANCE}),
        ),
        Topic(
            "audit-action", _("Actions on findings"),
            _("actions agreed with an auditor that you own: named, due, sent back"), 245,
            stays_in_inbox=True,
        ),
        Topic(
            "seal", _("Seals of the trail"),
            _("the newest seal every day: a proof outside the platform, for auditors"), 250,
            roles=frozenset({AUDITOR}),
        ),
    ),
    personal=(
        Personal(
            "files_of_the_trail", TrailBundle, {"user": GONE},
            "id since until region_codes state created_at ended_at",
        ),
        Personal(
            "audit_papers", AuditPaper, {"user": GONE},
            "id subject format region=region__code finding_id sample_id since until state created_at "
            "ended_at",
        ),
        Personal(
            "actions_on_findings", AuditAction,
            {"decided_by": KEPT, "done_by": KEPT, "made_by": KEPT, "owner": KEPT},
            "id finding_id text due_date state made_at note done_at reason decided_at",
            order="made_at id",
        ),
        Personal(
            "files_of_findings", FindingFile, {"added_by": KEPT},
            "id finding_id action_id title media_type size added_at",
            order="added_at id",
        ),
        Personal(
            "findings", AuditFinding,
            {"closed_by": KEPT, "no_answer_by": KEPT, "raised_by": KEPT, "replied_by": KEPT},
            "id severity title text state due_date follow_up_date raised_at reply replied_at note no_answer "
            "no_answer_at evidence closed_at "
            "organisation=organisation__code",
            order="raised_at",
        ),
        Personal(
            "exceptions", AuditException, {"decided_by": KEPT},
            "id rule state reason decided_at organisation=organisation__code",
            order="decided_at",
        ),
        Personal(
            "samples", AuditSample, {"made_by": KEPT},
            "id subject method since until seed size made_at",
            order="made_at",
        ),
    ),
    files=(FindingFile.objects.values_list("pk", "kind"),),
    official={
        "bookings.AuditRun.started_by": FOR_PLATFORM,
        "bookings.RiskWeight.entered_by": FOR_PLATFORM,
    },
)  # fmt: skip
