"""An exception, findings and a sample of the cast's auditor."""

from datetime import date, timedelta

from accounts.domain.roles import PLATFORM, By
from bookings.audit.domain.sampling import Sampling
from bookings.audit.services.actions import action_add, action_done, finding_attach
from bookings.audit.services.audit import exceptions_find
from bookings.audit.services.bundles import bundle_start, bundles_work
from bookings.audit.services.findings import Raised, finding_raise, finding_reply
from bookings.audit.services.papers import Wanted, paper_start, papers_work
from bookings.audit.services.sampling import sample_draw
from bookings.models import AuditException
from bookings.statistics.selectors.tables import TableQuery
from bookings.statistics.services.exports import export_start, exports_work
from tests.factories.attachments import PDF
from tests.factories.cast import Cast, reserve
from tests.factories.moments import NOW


def audit_things(cast: Cast) -> dict[str, str]:
    """Their ids by the words of the permission table."""
    made = reserve(cast, "2026-03-16 10:00", "2026-03-16 11:00")
    type(made).objects.filter(pk=made.pk).update(overrides=["notice"])
    exceptions_find(By(PLATFORM, NOW))
    auditor = cast.actor("auditor")
    first, second = (
        finding_raise(By(auditor, NOW), raised=Raised("low", name, "Text", organisation="ustc"))
        for name in ("First", "Second")
    )
    finding_reply(By(cast.actor("zhao"), NOW), finding_id=second.pk, reply="Done")
    sample = sample_draw(
        By(auditor, NOW),
        sampling=Sampling("reservations", "random", date(2026, 3, 1), date(2026, 4, 1), 2, "seed"),
    )
    bundle = bundle_start(By(auditor, NOW), since=None, until=None)
    bundles_work(now=NOW)
    table = export_start(
        By(auditor, NOW),
        table="days",
        format="csv",
        query=TableQuery(since=date(2026, 3, 1), until=date(2026, 4, 1), narrowed={}),
    )
    exports_work(now=NOW)
    acted = finding_raise(By(auditor, NOW), raised=Raised("low", "Third", "Text", organisation="ustc"))
    late = finding_raise(
        By(auditor, NOW - timedelta(days=90)), raised=Raised("low", "Late", "Text", organisation="ustc")
    )
    action, done = (
        action_add(
            By(auditor, NOW), finding_id=acted.pk, text=text, owner=cast.sun.email, due_date=date(2026, 4, 1)
        )
        for text in ("Train the operators", "Correct the card")
    )
    action_done(
        By(cast.actor("sun"), NOW), action_id=done.pk, note="Now as agreed", files=[("card.pdf", PDF)]
    )
    finding_attach(By(auditor, NOW), finding_id=acted.pk, files=[("proof.pdf", PDF)])
    paper = paper_start(By(auditor, NOW), wanted=Wanted("finding", finding_id=acted.pk))
    papers_work(now=NOW)
    return {
        "paper": str(paper.pk),
        "acted-finding": str(acted.pk),
        "late-finding": str(late.pk),
        "action": str(action.pk),
        "done-action": str(done.pk),
        "finding-file": str(acted.files.get(action=None).pk),
        "bundle": str(bundle.pk),
        "export": str(table.pk),
        "exception": str(AuditException.objects.get(rule="overrides").pk),
        "finding": str(first.pk),
        "answered-finding": str(second.pk),
        "sample": str(sample.pk),
    }
