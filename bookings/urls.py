"""Addresses of the catalogue, of booking, of deciding, and of hours and their story."""

from django.urls import include, path

from bookings import money_urls
from bookings.audit.views import audit, audit_start, seals, trail
from bookings.catalogue.views import (
    calendars,
    catalogue,
    choosing,
    comparing,
    lists,
    maps,
    ratings,
    searches,
)
from bookings.funding.views import spending
from bookings.hours.views import behind, hours, statistics
from bookings.messaging.views import feeds, webhooks
from bookings.needs.views import needs
from bookings.organisations.views import (
    duplicates,
    mergers,
    organisation_requests,
    organisations,
    people,
    regions,
    register_imports,
)
from bookings.overview.views import home, operations, palette, reservations, usage
from bookings.plans.views import chains, imports, waiting
from bookings.pricing.views import what_if
from bookings.privacy.views import leaving, persons
from bookings.questions.views import meters, questions
from bookings.reserving.views import booking, moves, requests
from bookings.series.views import series
from bookings.usage.views import board, closures

app_name = "bookings"

_instrument = "instruments/<uuid:instrument_id>/"
_manage = "manage/instruments/<uuid:instrument_id>/"
_reservation = "bookings/<uuid:reservation_id>/"
_exception = "audit/exceptions/<uuid:exception_id>/"
_finding = "audit/findings/<uuid:finding_id>/"
_organisation = "organisations/<uuid:organisation_id>/"

urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path("compare/", comparing.compare, name="compare"),
    path("compare/choose/", comparing.choose, name="compare-choose"),
    path("map/", maps.catalogue_map, name="map"),
    path("palette/", palette.palette, name="palette"),
    path("home/", home.home, name="home"),
    path(_instrument, catalogue.instrument, name="instrument"),
    path(_instrument + "week/", catalogue.week, name="week"),
    path(_instrument + "choose/", choosing.choose, name="choose"),
    path(_instrument + "book/", booking.book, name="book"),
    path(_instrument + "quote/", booking.quote, name="quote"),
    path(_instrument + "hold/", booking.hold, name="hold"),
    path(_instrument + "release/", booking.release, name="release"),
    path(_instrument + "series/", series.new, name="series-new"),
    path("organisations/<uuid:organisation_id>/merge/", mergers.merge, name="organisation-merge"),
    path("organisations/<uuid:organisation_id>/close/", mergers.close, name="organisation-close"),
    path("chains/new/", chains.new, name="chain-new"),
    path("chains/<uuid:chain_id>/", chains.chain, name="chain"),
    path("chains/<uuid:chain_id>/cancel/", chains.cancel, name="chain-cancel"),
    path("series/<uuid:series_id>/", series.series, name="series"),
    path(_instrument + "wait/", waiting.new, name="waiting-new"),
    path("needs/", needs.needs, name="needs"),
    path("needs/new/", needs.new, name="need-new"),
    path("needs/<uuid:need_id>/", needs.need, name="need"),
    path("needs/<uuid:need_id>/change/", needs.change, name="need-change"),
    path("needs/<uuid:need_id>/correct/", needs.correct, name="need-correct"),
    path("needs/<uuid:need_id>/readers/", needs.share, name="need-share"),
    path("needs/<uuid:need_id>/withdraw/", needs.withdraw, name="need-withdraw"),
    path("waiting/", waiting.waiting, name="waiting"),
    path("waiting/<uuid:wish_id>/withdraw/", waiting.withdraw, name="waiting-withdraw"),
    path("waiting/<uuid:reservation_id>/decline/", waiting.decline, name="waiting-decline"),
    path("searches/", searches.searches, name="searches"),
    path("searches/<uuid:search_id>/change/", searches.change, name="search-change"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<uuid:list_id>/", lists.one, name="list"),
    path("lists/entries/<uuid:entry_id>/", lists.entry, name="list-entry"),
    path(_instrument + "keep/", lists.keep, name="keep"),
    path("bookings/", reservations.mine, name="mine"),
    path("bookings/import/", imports.bring_in, name="import"),
    path("people/import/", people.people, name="people-import"),
    path(
        "organisations/<uuid:organisation_id>/members/import/",
        people.members,
        name="members-import",
    ),
    path("bookings/calendar/", calendars.mine, name="calendar"),
    path("bookings/spending/", spending.spending, name="spending"),
    # Webhooks
    path("manage/webhooks/", webhooks.webhooks, name="webhooks"),
    path("manage/webhooks/<uuid:endpoint_id>/", webhooks.webhook, name="webhook"),
    path("manage/webhooks/<uuid:endpoint_id>/secret/", webhooks.rotate, name="webhook-rotate"),
    path("manage/webhooks/<uuid:endpoint_id>/test/", webhooks.ping, name="webhook-ping"),
    path("manage/webhooks/<uuid:endpoint_id>/delete/", webhooks.delete, name="webhook-delete"),
    path(
        "manage/webhooks/deliveries/<uuid:delivery_id>/again/",
        webhooks.replay,
        name="webhook-replay",
    ),
    # Calendars for other programs
    path("calendar/<str:token>.ics", feeds.feed, name="feed"),
    path(_instrument + "calendar.ics", feeds.instrument_feed, name="instrument-feed"),
    path("bookings/calendars/", feeds.feeds, name="feeds"),
    path("bookings/calendars/make/", feeds.make, name="feed-make"),
    path("bookings/calendars/<uuid:feed_id>/revoke/", feeds.revoke, name="feed-revoke"),
    path("bookings/calendars/own/", feeds.busy, name="busy-calendar"),
    path("profile/access/", feeds.access, name="access"),
    path(_reservation, reservations.reservation, name="reservation"),
    path(_reservation + "cancel/", reservations.cancel, name="cancel"),
    path(_reservation + "move/", moves.move, name="move"),
    path(_reservation + "series/cancel/", series.cancel, name="series-cancel"),
    path(_reservation + "series/move/", series.move, name="series-move"),
    path(_reservation + "questions/<slug:moment>/", usage.questions, name="questions"),
    path("questions-owed/", questions.owed, name="questions-owed"),
    path(_manage + "asked/", questions.questionnaires, name="questionnaires"),
    path(_manage + "asked/<slug:moment>/", questions.questionnaires, name="questionnaires"),
    path(_manage + "answers/", questions.answers, name="answers"),
    path(_manage + "meters/", meters.meters, name="meters"),
    path(_manage + "counters/", meters.counters, name="counters"),
    path("manage/meters/<uuid:meter_id>/", meters.meter, name="meter"),
    path("manage/counters/<uuid:counter_id>/done/", meters.done, name="counter-done"),
    path("manage/counters/<uuid:counter_id>/retire/", meters.retire, name="counter-retire"),
    path(_reservation + "check-in/", usage.check_in, name="check-in"),
    path(_reservation + "check-out/", usage.check_out, name="check-out"),
    path("profile/data/", persons.data, name="person-data"),
    path("profile/data/export/", persons.export, name="person-export"),
    path("profile/close/", persons.close, name="person-close"),
    path("closed/", persons.closed, name="person-closed"),
    path("board/", board.board, name="board"),
    path("board/events/", board.events, name="board-events"),
    path("board/<uuid:instrument_id>/close/", board.close, name="board-close"),
    path("requests/", requests.requests, name="requests"),
    path("requests/decide/", requests.decide_many, name="decide-many"),
    path(_reservation + "decide/", requests.decide, name="decide"),
    path("manage/instruments/<uuid:instrument_id>/closures/", closures.closures, name="closures"),
    path("manage/instruments/<uuid:instrument_id>/ratings/", ratings.ratings, name="ratings"),
    path("manage/closures/<uuid:closure_id>/end/", closures.end, name="closure-end"),
    path("manage/closures/<uuid:closure_id>/delete/", closures.delete, name="closure-delete"),
    path("manage/instruments/<uuid:instrument_id>/what-if/", what_if.compare, name="what-if"),
    path("manage/duplicates/", duplicates.duplicates, name="duplicates"),
    path("manage/duplicates/decide/", duplicates.decide, name="duplicates-decide"),
    path("money/", include(money_urls)),
    path("memberships/<uuid:membership_id>/end/", leaving.end, name="member-end"),
    # The register of regions and organisations
    path("regions/", regions.tree, name="regions"),
    path("regions/new/", regions.new, name="region-new"),
    path("regions/import/", register_imports.regions, name="regions-import"),
    path("regions/<uuid:region_id>/", regions.region, name="region"),
    path("organisations/all/", organisations.listed, name="organisations-all"),
    path("organisations/new/", organisations.new, name="organisation-new"),
    path("organisations/import/", register_imports.organisations, name="organisation-import"),
    path("organisations/missing/", organisation_requests.missing, name="organisation-missing"),
    path(
        "organisations/missing/<uuid:request_id>/withdraw/",
        organisation_requests.withdraw,
        name="organisation-request-withdraw",
    ),
    path("organisations/requests/", organisation_requests.listed, name="organisation-requests"),
    path(
        "organisations/requests/<uuid:request_id>/",
        organisation_requests.one,
        name="organisation-request",
    ),
    path(_organisation, organisations.organisation, name="organisation"),
    path(_organisation + "change/", organisations.change, name="organisation-change"),
    path("hours/", hours.hours_by, name="hours"),
    path("hours/rows/", hours.rows, name="hours-rows"),
    path("hours/days/", hours.days, name="hours-days"),
    path("hours/behind/", behind.behind, name="hours-behind"),
    path("hours/weeks/", hours.weeks, name="hours-weeks"),
    path("hours/payers/", statistics.payers_by, name="hours-payers"),
    path("hours/flows/", statistics.between_regions, name="hours-flows"),
    path("hours/demand/", statistics.unmet, name="hours-demand"),
    path("hours/definitions/", statistics.definitions, name="hours-definitions"),
    path("hours/download/", statistics.download, name="hours-download"),
    path("hours/exports/", statistics.exports, name="hours-exports"),
    path("hours/exports/new/", statistics.export_new, name="hours-export-new"),
    path("hours/exports/<uuid:export_id>/", statistics.export_file, name="hours-export-file"),
    path("trail/", trail.trail, name="trail"),
    # the clock
    path("operations/", operations.operations, name="operations"),
    path("operations/retry/", operations.retry_all, name="operations-retry-all"),
    path("operations/<uuid:failure_id>/retry/", operations.retry, name="operations-retry"),
    # the auditors' desk
    path("audit/", audit_start.audit, name="audit"),
    path("audit/exceptions/", audit.exceptions, name="exceptions"),
    path("audit/exceptions/decide/", audit.decide_many, name="exceptions-decide"),
    path("audit/run/", audit.run, name="exceptions-run"),
    path(_exception, audit.exception, name="exception"),
    path(_exception + "decide/", audit.decide, name="exception-decide"),
    path(_exception + "confirm/", audit.confirm, name="exception-confirm"),
    path("audit/findings/", audit.findings, name="findings"),
    path(_finding, audit.finding, name="finding"),
    path(_finding + "reply/", audit.reply, name="finding-reply"),
    path(_finding + "return/", audit.give_back, name="finding-return"),
    path(_finding + "close/", audit.close, name="finding-close"),
    path("audit/samples/", audit.samples, name="samples"),
    path("audit/samples/<uuid:sample_id>/", audit.sample, name="sample"),
    path("audit/samples/<uuid:sample_id>/population/", audit.population, name="population"),
    # seals and what they prove
    path("trail/seals/", seals.all_seals, name="seals"),
    path("trail/seals/now/", seals.seal_now, name="seal-now"),
    path("trail/bundle/", seals.bundle, name="bundle"),
    path("trail/bundles/", seals.bundle_later, name="bundle-later"),
    path("trail/bundles/<uuid:bundle_id>/", seals.bundle_file, name="bundle-file"),
    path("trail/proofs/<uuid:entry_id>/", seals.proof, name="proof"),
    path("trail/<uuid:object_id>/", trail.story, name="story"),
]
