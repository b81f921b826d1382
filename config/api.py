"""The API: its addresses, and what becomes of a refusal there (RFC 9457)."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.urls import path, re_path
from psycopg import errors as database
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import (
    federation,
    joining,
    me,
    memberships,
    messages,
    organisation_moves,
    organisation_requests,
    organisations,
    tokens,
)
from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import PROBLEM
from accounts.domain.errors import (
    Invalid,
    NotFound,
    NotPermitted,
    Refused,
    StillRunning,
)
from accounts.domain.people import PeopleRefused
from accounts.views.pages import status_of
from bookings.audit.api import audit, seals, trail
from bookings.availability.api import misfits
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.api import availability, catalogue, fees, lists, ratings, searches
from bookings.catalogue.api.refusals import in_the_way_json, refusal_json
from bookings.charging.api import charges, corrections, replay
from bookings.funding.api import funding, grants, programmes
from bookings.hours.api import hours, hours_exports, statistics
from bookings.messaging.api import feeds, webhooks
from bookings.organisations.api import duplicates, mergers, people, register_imports
from bookings.organisations.api.people import people_json
from bookings.organisations.api.register_imports import RegisterReportShape
from bookings.organisations.domain.register_files import RegisterRefused
from bookings.overview.api import operations
from bookings.plans.api import chains, imports, waiting
from bookings.plans.api.imports import report_json
from bookings.plans.domain.imports import RowsRefused
from bookings.pricing.api import agreements, what_if
from bookings.pricing.domain.fees import GroupNotServed
from bookings.privacy.api import leaving, persons
from bookings.record.domain.refusals import CAPACITY, Refusal, RulesRefuse
from bookings.record.messages import sentence
from bookings.reserving.api import holds, moves, reservations, transitions
from bookings.series.api import series
from bookings.settlement.api import (
    exchange_rates,
    payment_notices,
    payments,
    settlements,
    statements,
)
from bookings.usage.api import closures, usage
from config import api_docs
from config.errors import AWAY_SECONDS, NO_VALUES, away_code, closed_meanwhile
from instruments.api import (
    attachments,
    enrolments,
    exports,
    facilities,
    harvests,
    needs,
    opening,
    policies,
    publishing,
    qualifications,
    ratecards,
    records,
    registry,
    techniques,
    training,
)
from instruments.api import imports as inventories
from instruments.domain.quality import Incomplete

log = logging.getLogger(__name__)

# Refusals


@dataclass(frozen=True)
class Problem:
    """An answer of application/problem+json before it is one."""

    status: int
    code: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    detail: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


CHALLENGE = {"WWW-Authenticate": "Bearer"}
SOON = {"Retry-After": "1"}
# What the database says when too many want the same thing at once.
BUSY = (database.LockNotAvailable, database.DeadlockDetected, database.QueryCanceled)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever an endpoint raised."""
    exc = closed_meanwhile(exc) or exc
    problem = _problem(exc, _is_signed_in(context.get("request")))
    if problem.status == 500:
        log.error("%s failed", type(context.get("view")).__name__, exc_info=exc)
    detail = problem.detail or sentence(problem.code, problem.numbers)
    content = {
        **problem.numbers,
        "type": f"/api/v1/docs/#{problem.code}",
        "title": problem.title or detail,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
        **problem.more,
    }
    return Response(
        content, status=problem.status, headers=dict(problem.headers), content_type=PROBLEM
    )


def _is_signed_in(request: Request | None) -> bool:
    # Not `request.user`: asking for it may be what failed.
    user = getattr(request, "_user", None)
    return bool(user and user.is_authenticated)


def _problem(exc: Exception, is_signed_in: bool) -> Problem:
    match exc:
        case Refused():
            return _of_refusal(exc, is_signed_in)
        case exceptions.APIException():
            return _of_framework(exc)
        case Http404():
            return Problem(404, "not-found")
        case PermissionDenied():
            return Problem(403, "not-permitted")
        case RequestDataTooBig():
            return Problem(413, "request-too-large")
        case SuspiciousOperation():
            return Problem(400, "malformed", {"problem": "it looks forged"})
        case _ if isinstance(exc, NO_VALUES):
            log.warning("It has values that cannot be meant", exc_info=exc)
            return Problem(400, "malformed", {"problem": "a value is out of any range"})
        case OperationalError() if isinstance(exc.__cause__, BUSY):
            return Problem(503, "busy", headers=SOON)
        case _ if code := away_code(exc):
            return Problem(503, code, headers={"Retry-After": AWAY_SECONDS})
        case _:
            return Problem(500, "failed")


def _of_refusal(refused: Refused, is_signed_in: bool) -> Problem:
    match refused:
        case Invalid():
            return _of_shape(refused)
        case RulesRefuse():
            is_taken = len(refused.refusals) == 1 and refused.refusals[0].code in CAPACITY
            return _of_rules(refused.code, refused.refusals, 409 if is_taken else 422)
        case GroupNotServed():
            refusal = Refusal(refused.code, refused.numbers)
            return _of_rules(refused.code, [refusal], 422)
        case Incomplete():
            return Problem(
                422, refused.code, refused.numbers, more={"missing": list(refused.missing)}
            )
        case NotPermitted() if not is_signed_in:
            return Problem(401, "not-signed-in", headers=CHALLENGE)
        case NotPermitted():
            return Problem(403, refused.code, refused.numbers)
        case RowsRefused():
            return Problem(422, refused.code, refused.numbers, more=report_json(refused.report))
        case PeopleRefused():
            return Problem(422, refused.code, refused.numbers, more=people_json(refused.report))
        case RegisterRefused():
            more = rendered(RegisterReportShape, refused.report)
            return Problem(422, refused.code, refused.numbers, more=more)
        case InTheWay():
            more = {"reservations": in_the_way_json(refused)}
            return Problem(409, refused.code, refused.numbers, more=more)
        case StillRunning():
            return Problem(409, refused.code, headers=SOON)
        case _:
            return Problem(status_of(refused), refused.code, refused.numbers)


def _of_shape(refused: Invalid) -> Problem:
    errors = [
        {
            "field": problem.field,
            "code": problem.code,
            "message": sentence(problem.code, problem.numbers),
        }
        for problem in refused.problems
    ]
    return Problem(
        400,
        refused.code,
        title=sentence(refused.code),
        detail=" ".join(f"{e['field']}: {e['message']}".removeprefix(": ") for e in errors),
        more={"errors": errors},
    )


def _of_rules(code: str, refusals: Any, status: int) -> Problem:
    shown = [refusal_json(refusal) for refusal in refusals]
    return Problem(
        status,
        code,
        title=sentence("rules-refuse"),
        detail=" ".join(refusal["message"] for refusal in shown),
        more={"refusals": shown},
    )


def _of_framework(exc: exceptions.APIException) -> Problem:
    match exc:
        case exceptions.AuthenticationFailed():
            return Problem(401, "bad-token", headers=CHALLENGE)
        case exceptions.NotAuthenticated():
            return Problem(401, "not-signed-in", headers=CHALLENGE)
        case exceptions.PermissionDenied():
            return Problem(403, "csrf" if exc.get_codes() == "csrf" else "not-permitted")
        case exceptions.Throttled():
            wait = {"Retry-After": str(max(1, math.ceil(getattr(exc, "wait", None) or 1)))}
            return Problem(429, "too-many-requests", headers=wait)
        case exceptions.ParseError():
            return Problem(400, "malformed", {"problem": str(exc.detail)})
        case _:
            code = CODES.get(exc.status_code)
            return Problem(exc.status_code, code) if code else Problem(500, "failed")


CODES = {
    400: "invalid",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    411: "length-required",
    415: "unsupported-media-type",
}


# Addresses


class Unknown(Endpoint):
    """Whatever has no address of its own."""

    schema = None
    only_reads = True  # it is not there, whoever asks

    def _not_there(self, request: Request, **kwargs: Any) -> Response:
        raise NotFound

    get = post = put = patch = delete = _not_there


_instrument = "instruments/<uuid:instrument_id>/"
_statement = "statements/<uuid:statement_id>/"
_settlement = "settlements/<uuid:settlement_id>/"

urlpatterns = [
    path("schema/", api_docs.schema, name="api-schema"),
    path("docs/", api_docs.docs, name="api-docs"),
    # the clock
    path("operations/", operations.OperationsState.as_view(), name="api-operations"),
    path("operations/failures/", operations.Failures.as_view(), name="api-operations-failures"),
    path(
        "operations/failures/<uuid:failure_id>/retry/",
        operations.FailureRetry.as_view(),
        name="api-operations-retry",
    ),
    # reference
    *organisations.Regions.routes(),
    *organisations.Organisations.routes(),
    *organisation_requests.OrganisationRequests.routes(),
    *techniques.Techniques.routes(),
    *needs.Measurands.routes(),
    *needs.Needs.routes(),
    # people
    *joining.OrganisationJoining.routes(),
    *federation.OrganisationScopes.routes(),
    *organisation_moves.OrganisationMoves.routes(),
    *mergers.OrganisationMerge.routes(),
    *mergers.OrganisationClose.routes(),
    path("me/", me.Me.as_view(), name="api-me"),
    *memberships.Memberships.routes(),
    *leaving.MembershipEnd.routes(),
    *memberships.Roles.routes(),
    *joining.Invitations.routes(),
    path("me/export/", persons.OwnExport.as_view(), name="api-own-export"),
    path("me/erasure/", persons.OwnErasure.as_view(), name="api-own-erasure"),
    # Messages
    *messages.Messages.routes(),
    *messages.MessageChoices.routes(),
    *feeds.Feeds.routes(),
    *feeds.Busy.routes(),
    # Webhooks
    *webhooks.Webhooks.routes(),
    *tokens.Tokens.routes(),
    *joining.JoinRequests.routes(),
    # what is offered
    *facilities.Facilities.routes(),
    path("catalogue/", records.CatalogueRecords.as_view(), name="api-catalogue-records"),
    *searches.Searches.routes(),
    *lists.InstrumentLists.routes(),
    *lists.ListEntries.routes(),
    path("instruments/", catalogue.Instruments.as_view(), name="api-instruments"),
    path("instruments/facets/", catalogue.CatalogueFacets.as_view(), name="api-instrument-facets"),
    *registry.InstrumentRecord.routes(),
    path(
        _instrument + "pidinst/",
        registry.InstrumentPidinst.as_view(),
        name="api-instrument-pidinst",
    ),
    path(
        _instrument + "pidinst/xml/",
        exports.InstrumentPidinstXml.as_view(),
        name="api-instrument-pidinst-xml",
    ),
    path(
        _instrument + "provenance/",
        inventories.InstrumentProvenance.as_view(),
        name="api-instrument-provenance",
    ),
    *publishing.Publication.routes(),
    path("duplicates/", duplicates.Duplicates.as_view(), name="api-duplicates"),
    *duplicates.DuplicateVerdicts.routes(),
    path(
        _instrument + "attachments/",
        attachments.InstrumentAttachments.as_view(),
        name="api-attachments",
    ),
    *attachments.Attachments.routes(),
    path(
        _instrument + "opening-hours/",
        opening.InstrumentOpeningHours.as_view(),
        name="api-opening-hours",
    ),
    path(_instrument + "policy/", policies.InstrumentPolicy.as_view(), name="api-policy"),
    path(
        _instrument + "policy/versions/",
        policies.InstrumentPolicyVersions.as_view(),
        name="api-policy-versions",
    ),
    path(_instrument + "misfits/", misfits.InstrumentMisfits.as_view(), name="api-misfits"),
    path(
        _instrument + "rate-cards/", ratecards.InstrumentRateCards.as_view(), name="api-rate-cards"
    ),
    path(
        _instrument + "rate-cards/<int:version>/",
        ratecards.InstrumentRateCard.as_view(),
        name="api-rate-card",
    ),
    path(_instrument + "rate-cards/what-if/", what_if.WhatIfOfBody.as_view(), name="api-what-if"),
    path(
        _instrument + "rate-cards/<int:version>/what-if/",
        what_if.WhatIfOfVersion.as_view(),
        name="api-what-if-version",
    ),
    *closures.InstrumentClosures.routes(),
    path(_instrument + "ratings/", ratings.InstrumentRatings.as_view(), name="api-ratings"),
    *closures.Closures.routes(),
    # files in and out
    path("imports/people/", people.PeopleImport.as_view(), name="api-people-import"),
    *register_imports.RegisterImports.routes(),
    *inventories.Imports.routes(),
    *inventories.OneImport.routes(),
    *harvests.Harvests.routes(),
    *inventories.ImportMappings.routes(),
    path("exports/", exports.Exports.as_view(), name="api-exports"),
    *qualifications.Qualifications.routes(),
    *training.Courses.routes(),
    *training.CourseSessions.routes(),
    *enrolments.Enrolments.routes(),
    # what happens
    path(
        _instrument + "availability/",
        availability.Availability.as_view(),
        name="api-availability",
    ),
    path("quotes/", fees.Quotes.as_view(), name="api-quotes"),
    path("reservations/", reservations.Reservations.as_view(), name="api-reservations"),
    path(
        "reservations/import/", imports.ReservationsImport.as_view(), name="api-reservations-import"
    ),
    *reservations.OneReservation.routes(),
    *holds.Holds.routes(),
    *moves.Moves.routes(),
    *transitions.Transitions.routes(),
    *usage.Usage.routes(),
    *transitions.Cancellation.routes(),
    *waiting.WaitingList.routes(),
    *series.SeriesCollection.routes(),
    *chains.Chains.routes(),
    # what it costs
    *funding.FundingSources.routes(),
    path("spending/", funding.Spending.as_view(), name="api-spending"),
    *charges.Charges.routes(),
    *corrections.ChargeSettle.routes(),
    *corrections.ChargeCorrections.routes(),
    *corrections.Corrections.routes(),
    *corrections.SessionsToComplete.routes(),
    *corrections.ReservationUsage.routes(),
    # agreements and vouchers
    *agreements.Agreements.routes(),
    *programmes.Programmes.routes(),
    *grants.Grants.routes(),
    path(
        "charges/<uuid:charge_id>/replay/",
        replay.ChargeReplay.as_view(),
        name="api-charge-replay",
    ),
    *statements.Statements.routes(),
    path(_statement + "pdf/", statements.StatementPdf.as_view(), name="api-statement-pdf"),
    path(_statement + "csv/", statements.StatementCsv.as_view(), name="api-statement-csv"),
    *payment_notices.StatementNotices.routes(),
    *payment_notices.PaymentNotices.routes(),
    *payments.Payments.routes(),
    path("payments/csv/", payments.PaymentsCsv.as_view(), name="api-payments-csv"),
    path("ageing/", payments.AgeingReport.as_view(), name="api-ageing"),
    *settlements.Settlements.routes(),
    path(_settlement + "pdf/", settlements.SettlementPdf.as_view(), name="api-settlement-pdf"),
    path(_settlement + "csv/", settlements.SettlementCsv.as_view(), name="api-settlement-csv"),
    *exchange_rates.ExchangeRates.routes(),
    # statistics
    path("statistics/hours/", hours.Hours.as_view(), name="api-statistics-hours"),
    path("statistics/payers/", statistics.Payers.as_view(), name="api-statistics-payers"),
    path("statistics/bookings/", statistics.Bookings.as_view(), name="api-statistics-bookings"),
    path("statistics/demand/", statistics.Demand.as_view(), name="api-statistics-demand"),
    path(
        "statistics/flows/", statistics.FlowsBetweenRegions.as_view(), name="api-statistics-flows"
    ),
    path(
        "statistics/concentration/",
        statistics.Concentration.as_view(),
        name="api-statistics-concentration",
    ),
    path("statistics/norms/", statistics.Norms.as_view(), name="api-statistics-norms"),
    *hours_exports.HoursExports.routes(),
    path(
        "statistics/exports/<uuid:export_id>/file/",
        hours_exports.HoursExportFile.as_view(),
        name="api-statistics-export-file",
    ),
    path("trail/entries/", trail.Entries.as_view(), name="api-trail-entries"),
    # the auditors' desk
    *audit.Exceptions.routes(),
    *audit.Runs.routes(),
    *audit.Samples.routes(),
    path(
        "audit/samples/<uuid:sample_id>/population/",
        audit.SamplePopulation.as_view(),
        name="api-audit-sample-population",
    ),
    *audit.Findings.routes(),
    # seals and what they prove
    path("trail/seals/", seals.Seals.as_view(), name="api-trail-seals"),
    path("trail/proofs/<uuid:entry_id>/", seals.Proof.as_view(), name="api-trail-proof"),
    *seals.Bundles.routes(),
    path(
        "trail/bundles/<uuid:bundle_id>/file/",
        seals.BundleFile.as_view(),
        name="api-trail-bundle-file",
    ),
    path("trail/bundle/", seals.Bundle.as_view(), name="api-trail-bundle"),
    re_path("", Unknown.as_view(), name="api-unknown"),
]
