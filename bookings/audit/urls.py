"""Addresses of *audit*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.audit.api import actions as actions_api
from bookings.audit.api import audit as audit_api
from bookings.audit.api import papers as papers_api
from bookings.audit.api import risk as risk_api
from bookings.audit.api import seals as seals_api
from bookings.audit.api import trail as trail_api
from bookings.audit.views import actions, audit, audit_start, bulk, papers, risk, seals, trail

_exception = "audit/exceptions/<uuid:exception_id>/"
_finding = "audit/findings/<uuid:finding_id>/"

pages = [
    path("trail/", trail.trail, name="trail"),
    path("audit/", audit_start.audit, name="audit"),
    path("audit/exceptions/", audit.exceptions, name="exceptions"),
    path("audit/exceptions/decide/", audit.decide_many, name="exceptions-decide"),
    path("audit/exceptions/all/", bulk.decide_all, name="exceptions-all"),
    path("audit/weights/", risk.weights, name="risk-weights"),
    path("audit/run/", audit.run, name="exceptions-run"),
    path(_exception, audit.exception, name="exception"),
    path(_exception + "confirm/", audit.confirm, name="exception-confirm"),
    *posts(audit_api.Exceptions, audit_api.Findings, actions_api.Actions),
    path("audit/findings/", audit.findings, name="findings"),
    path(_finding, audit.finding, name="finding"),
    path(_finding + "attachments/", actions.attach, name="finding-attach"),
    path("audit/actions/", actions.actions, name="actions"),
    path("audit/actions/<uuid:action_id>/attachments/", actions.done, name="action-done"),
    path("audit/files/<uuid:file_id>/<slug:size>/", actions.file, name="finding-file"),
    path("audit/report/", papers.report, name="audit-report"),
    path("audit/papers/", papers.papers, name="papers"),
    path("audit/papers/new/", papers.papers_new, name="papers-new"),
    path("audit/papers/<uuid:paper_id>/", papers.paper, name="paper"),
    path("audit/samples/", audit.samples, name="samples"),
    path("audit/samples/<uuid:sample_id>/", audit.sample, name="sample"),
    path("audit/samples/<uuid:sample_id>/population/", audit.population, name="population"),
    path("trail/seals/", seals.all_seals, name="seals"),
    path("trail/seals/now/", seals.seal_now, name="seal-now"),
    path("trail/bundle/", seals.bundle, name="bundle"),
    path("trail/bundles/", seals.bundle_later, name="bundle-later"),
    path("trail/bundles/<uuid:bundle_id>/", seals.bundle_file, name="bundle-file"),
    path("trail/proofs/<uuid:entry_id>/", seals.proof, name="proof"),
    path("trail/<uuid:object_id>/", trail.story, name="story"),
]
api = [
    path("trail/entries/", trail_api.Entries.as_view(), name="api-trail-entries"),
    *audit_api.Exceptions.routes(),
    *audit_api.Runs.routes(),
    path("audit/weights/", risk_api.Weights.as_view(), name="api-risk-weights"),
    *audit_api.Samples.routes(),
    path(
        "audit/samples/<uuid:sample_id>/population/",
        audit_api.SamplePopulation.as_view(),
        name="api-audit-sample-population",
    ),
    *audit_api.Findings.routes(),
    *audit_api.Attaching.routes(),
    *actions_api.Actions.routes(),
    path(
        "audit/files/<uuid:file_id>/<slug:size>/",
        actions_api.FindingFiles.as_view(),
        name="api-audit-finding-file",
    ),
    path("audit/report/", papers_api.AuditReport.as_view(), name="api-audit-report"),
    *papers_api.Papers.routes(),
    path("audit/papers/<uuid:paper_id>/file/", papers_api.PaperFile.as_view(), name="api-audit-paper-file"),
    path("trail/seals/", seals_api.Seals.as_view(), name="api-trail-seals"),
    path("trail/proofs/<uuid:entry_id>/", seals_api.Proof.as_view(), name="api-trail-proof"),
    *seals_api.Bundles.routes(),
    path(
        "trail/bundles/<uuid:bundle_id>/file/", seals_api.BundleFile.as_view(), name="api-trail-bundle-file"
    ),
    path("trail/bundle/", seals_api.Bundle.as_view(), name="api-trail-bundle"),
]
