"""Addresses of the catalogue, of booking, of deciding, and of hours and their story."""

from django.urls import include, path

from bookings import money_urls
from bookings.views import (
    board,
    booking,
    calendars,
    catalogue,
    chains,
    closures,
    duplicates,
    moves,
    requests,
    reservations,
    series,
    trail,
    usage,
    utilisation,
    waiting,
    what_if,
)

app_name = "bookings"

_instrument = "instruments/<uuid:instrument_id>/"
_reservation = "bookings/<uuid:reservation_id>/"

urlpatterns = [
    path("", catalogue.catalogue, name="catalogue"),
    path(_instrument, catalogue.instrument, name="instrument"),
    path(_instrument + "week/", catalogue.week, name="week"),
    path(_instrument + "book/", booking.book, name="book"),
    path(_instrument + "quote/", booking.quote, name="quote"),
    path(_instrument + "hold/", booking.hold, name="hold"),
    path(_instrument + "series/", series.new, name="series-new"),
    path("chains/new/", chains.new, name="chain-new"),
    path("chains/<uuid:chain_id>/", chains.chain, name="chain"),
    path("chains/<uuid:chain_id>/cancel/", chains.cancel, name="chain-cancel"),
    path("series/<uuid:series_id>/", series.series, name="series"),
    path(_instrument + "wait/", waiting.new, name="waiting-new"),
    path("waiting/", waiting.waiting, name="waiting"),
    path("waiting/<uuid:wish_id>/withdraw/", waiting.withdraw, name="waiting-withdraw"),
    path("waiting/<uuid:reservation_id>/decline/", waiting.decline, name="waiting-decline"),
    path("bookings/", reservations.mine, name="mine"),
    path("bookings/calendar/", calendars.mine, name="calendar"),
    path(_reservation, reservations.reservation, name="reservation"),
    path(_reservation + "cancel/", reservations.cancel, name="cancel"),
    path(_reservation + "move/", moves.move, name="move"),
    path(_reservation + "series/cancel/", series.cancel, name="series-cancel"),
    path(_reservation + "series/move/", series.move, name="series-move"),
    path(_reservation + "check-in/", usage.check_in, name="check-in"),
    path(_reservation + "check-out/", usage.check_out, name="check-out"),
    path("board/", board.board, name="board"),
    path("board/events/", board.events, name="board-events"),
    path("board/<uuid:instrument_id>/close/", board.close, name="board-close"),
    path("requests/", requests.requests, name="requests"),
    path(_reservation + "decide/", requests.decide, name="decide"),
    path("manage/instruments/<uuid:instrument_id>/closures/", closures.closures, name="closures"),
    path("manage/closures/<uuid:closure_id>/end/", closures.end, name="closure-end"),
    path("manage/closures/<uuid:closure_id>/delete/", closures.delete, name="closure-delete"),
    path("manage/instruments/<uuid:instrument_id>/what-if/", what_if.compare, name="what-if"),
    path("manage/duplicates/", duplicates.duplicates, name="duplicates"),
    path("manage/duplicates/decide/", duplicates.decide, name="duplicates-decide"),
    path("money/", include(money_urls)),
    path("hours/", utilisation.hours_by, name="hours"),
    path("hours/rows/", utilisation.rows, name="hours-rows"),
    path("trail/", trail.trail, name="trail"),
    path("trail/<uuid:object_id>/", trail.story, name="story"),
]
