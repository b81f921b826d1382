"""The addresses of the API."""

from typing import Any

from django.urls import path, re_path
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
from accounts.domain.errors import (
    NotFound,
)
from bookings.audit.api import audit, seals, trail
from bookings.availability.api import kept_hours, misfits
from bookings.board.api import alarms, enquiries
from bookings.browsing.api import catalogue, lists, ratings, searches
from bookings.catalogue.api import availability, fees
from bookings.charging.api import charges, corrections, replay
from bookings.conversation.api import threads
from bookings.funding.api import funding, grants, programmes
from bookings.messaging.api import feeds, webhooks
from bookings.needs.api import batches
from bookings.needs.api import needs as bookings_needs
from bookings.organisations.api import duplicates, mergers, people, register_imports
from bookings.overview.api import operations
from bookings.planning.api import map as planning_map
from bookings.planning.api import plans as planned_purchases
from bookings.planning.api import register
from bookings.plans.api import chains, imports, waiting
from bookings.pricing.api import agreements, what_if
from bookings.privacy.api import leaving, persons
from bookings.questions.api import meters, questions
from bookings.reserving.api import holds, moves, reservations, transitions
from bookings.results.api import collecting, handoffs, uploads
from bookings.reviews.api import reviews
from bookings.samples.api import samples
from bookings.series.api import series
from bookings.settlement.api import (
    exchange_rates,
    payment_notices,
    payments,
    settlements,
    statements,
)
from bookings.statistics.api import hours, hours_exports, statistics
from bookings.usage.api import closures, faults, kiosks, usage
from config.api import docs
from instruments.api import (
    attachments,
    capabilities,
    enrolments,
    exports,
    facilities,
    harvests,
    house_rules,
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
    path("schema/", docs.schema, name="api-schema"),
    path("docs/", docs.docs, name="api-docs"),
    # what is asked most: addresses are tried in this order
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
    *usage.AnswerUploads.routes(),
    *kiosks.CheckInCodes.routes(),
    *transitions.Cancellation.routes(),
    *bookings_needs.Needs.routes(),
    *batches.Batches.routes(),
    *batches.BatchPlaces.routes(),
    *reviews.ReviewSchemes.routes(),
    *reviews.PurchaseCases.routes(),
    *reviews.HostPledges.routes(),
    *reviews.CaseOpinions.routes(),
    *enquiries.Enquiries.routes(),
    *enquiries.OpenEnquiries.routes(),
    *enquiries.Bids.routes(),
    *enquiries.Clusters.routes(),
    *threads.of_kind("reservation", "reservations/", "reservation_id", "reservations"),
    *threads.of_kind("need", "needs/", "need_id", "instruments"),
    *threads.of_kind("sample", "samples/", "item_id", "samples"),
    *threads.Proposing.routes(),
    *threads.Proposals.routes(),
    *threads.Comments.routes(),
    path(
        "comments/files/<uuid:file_id>/<slug:size>/",
        threads.CommentFiles.as_view(),
        name="api-comment-file",
    ),
    path(
        "answers/files/<uuid:file_id>/<slug:size>/",
        questions.AnswerFiles.as_view(),
        name="api-answer-file",
    ),
    path("samples/labels/", samples.SampleLabels.as_view(), name="api-sample-labels"),
    *samples.Samples.routes(),
    *waiting.WaitingList.routes(),
    *series.SeriesCollection.routes(),
    *chains.Chains.routes(),
    path("instruments/", catalogue.Instruments.as_view(), name="api-instruments"),
    path("instruments/facets/", catalogue.CatalogueFacets.as_view(), name="api-instrument-facets"),
    *registry.InstrumentRecord.routes(),
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
    *capabilities.ParameterResource.routes(),
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
    *capabilities.InstrumentCapabilities.routes(),
    *capabilities.Capabilities.routes(),
    *capabilities.Questions.routes(),
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
    *house_rules.InstrumentHouseRules.routes(),
    *house_rules.FacilityHouseRules.routes(),
    *questions.InstrumentQuestionnaires.routes(),
    *kept_hours.KeptHoursResource.routes(),
    *meters.InstrumentMeters.routes(),
    *meters.Meters.routes(),
    *meters.Readings.routes(),
    *meters.Counters.routes(),
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
    *handoffs.ResultTermsOf.routes(),
    *closures.InstrumentClosures.routes(),
    path(
        _instrument + "rating/",
        ratings.InstrumentRatingEndpoint.as_view(),
        name="api-rating",
    ),
    path(_instrument + "ratings/", ratings.InstrumentRatings.as_view(), name="api-ratings"),
    *closures.Closures.routes(),
    # results, handed over
    *handoffs.Results.routes(),
    *collecting.Collecting.routes(),
    *collecting.CollectLinks.routes(),
    *collecting.KeepRequests.routes(),
    path(
        "results/<uuid:hand_off_id>/package/",
        collecting.ResultPackage.as_view(),
        name="api-result-package",
    ),
    path(
        "results/<uuid:hand_off_id>/files/<uuid:file_id>/",
        collecting.ResultContent.as_view(),
        name="api-result-content",
    ),
    *handoffs.ResultStorage.routes(),
    path("uploads/", uploads.Uploads.as_view(), name="api-uploads"),
    path("uploads/<uuid:file_id>/", uploads.Upload.as_view(), name="api-upload"),
    *faults.InstrumentFaults.routes(),
    *faults.Faults.routes(),
    *alarms.AlarmThresholds.routes(),
    *alarms.Alarms.routes(),
    *kiosks.Kiosks.routes(),
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
    path("planning-map/", planning_map.PlanningMapOfYear.as_view(), name="api-planning-map"),
    *register.ReviewRegister.routes(),
    path(
        "purchase-cases/<uuid:case_id>/pdf/",
        register.CasePdf.as_view(),
        name="api-purchase-case-pdf",
    ),
    *planned_purchases.PlannedPurchases.routes(),
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
