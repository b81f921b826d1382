"""Addresses of *overview*: its pages, and its part of the API."""

from django.urls import path

from bookings.overview.api import operations as operations_api
from bookings.overview.views import choices, home, hosted, operations, palette, person, reservations, usage
from bookings.overview.views import money as start

_reservation = "bookings/<uuid:reservation_id>/"

pages = [
    path("choices/organisations/", choices.organisations, name="choices-organisations"),
    path("choices/people/", choices.people, name="choices-people"),
    path("palette/", palette.palette, name="palette"),
    path("home/", home.home, name="home"),
    path("bookings/", reservations.mine, name="mine"),
    path(_reservation, reservations.reservation, name="reservation"),
    path(_reservation + "cancel/", reservations.cancel, name="cancel"),
    path(_reservation + "questions/<slug:moment>/", usage.questions, name="questions"),
    path(_reservation + "check-in/", usage.check_in, name="check-in"),
    path(_reservation + "check-out/", usage.check_out, name="check-out"),
    path(_reservation + "rate/", usage.rate, name="rate"),
    path(_reservation + "rate/answer/", usage.answer_rating, name="rating-answer"),
    path("hosted/", hosted.hosted, name="hosted"),
    path("hosted/people/<uuid:person_id>/", person.person, name="person"),
    path("hosted/people/<uuid:person_id>/block/", person.block, name="block"),
    path("manage/blocks/", person.blocks, name="blocks"),
    path("operations/", operations.operations, name="operations"),
    path("operations/retry/", operations.retry_all, name="operations-retry-all"),
    path("operations/<uuid:failure_id>/retry/", operations.retry, name="operations-retry"),
]
money = [path("", start.money, name="money")]
api = [
    path("operations/", operations_api.OperationsState.as_view(), name="api-operations"),
    path("operations/failures/", operations_api.Failures.as_view(), name="api-operations-failures"),
    path(
        "operations/failures/<uuid:failure_id>/retry/",
        operations_api.FailureRetry.as_view(),
        name="api-operations-retry",
    ),
]
