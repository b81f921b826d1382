"""Addresses of *overview*: its pages."""

from django.urls import path

from bookings.overview.views import choices, home, hosted, palette, person, reservations, usage
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
    path(_reservation + "strike-no-show/", reservations.strike_no_show, name="strike-no-show"),
    path(_reservation + "questions/<slug:moment>/", usage.questions, name="questions"),
    path(_reservation + "check-in/", usage.check_in, name="check-in"),
    path(_reservation + "check-out/", usage.check_out, name="check-out"),
    path(_reservation + "rate/", usage.rate, name="rate"),
    path(_reservation + "rate/answer/", usage.answer_rating, name="rating-answer"),
    path("hosted/", hosted.hosted, name="hosted"),
    path("hosted/people/<uuid:person_id>/", person.person, name="person"),
    path("hosted/people/<uuid:person_id>/block/", person.block, name="block"),
    path("hosted/people/<uuid:person_id>/cancel/", person.cancel_bookings, name="person-cancel"),
    path("manage/blocks/", person.blocks, name="blocks"),
]
money = [path("", start.money, name="money")]
