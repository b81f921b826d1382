"""The manifest of *audit*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_PLATFORM, GONE, KEPT, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import AUDITOR, FINANCE, MANAGER
from accounts.menu import FIGURES, Below, MenuEntry, Waits, has, may
from bookings.audit.messages import ACTS, REFUSALS
from bookings.audit.models import AuditException, AuditFinding, AuditRun, AuditSample, TrailBundle
from bookings.audit.selectors import audit

AREA = Area(
    "bookings.audit",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:audit", _("Audit"), "shield-check", FIGURES, 30, has("auditor")),),
    below=(
        Below("bookings:money", "findings finding finding-reply"),
        Below(
            "bookings:audit",
            "exceptions exceptions-run exception exception-decide exception-confirm findings finding"
            " finding-reply finding-return finding-close samples sample trail story seals seal-now"
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
            entry="bookings:money", group="state", due="due_date",
        ),
    ),
    records=(
        Record(AuditRun, kind=_("run of the audit rules")),
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
            AuditSample, "seed", at="made_at",
            kind=_("sample of the audit"), acts="sample", page="bookings:sample", seen=audit.samples_for,
        ),
    ),
    acts=ACTS,
    topics=(
        Topic(
            "audit", _("Audit desk"), _("findings: raised, answered, due"), 240,
            roles=frozenset({AUDITOR, MANAGER, FINANCE}),
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
            "findings", AuditFinding, {"closed_by": KEPT, "raised_by": KEPT, "replied_by": KEPT},
            "id severity title text state due_date raised_at reply replied_at note evidence closed_at "
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
    official={
        "bookings.AuditRun.started_by": FOR_PLATFORM,
    },
)  # fmt: skip
