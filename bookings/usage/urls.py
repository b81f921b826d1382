"""Addresses of *usage*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.usage.api import closures as closures_api
from bookings.usage.api import faults as faults_api
from bookings.usage.api import kiosks as kiosks_api
from bookings.usage.api import usage
from bookings.usage.views import at, board, closures, faults, kiosks, labels, sessions

pages = [
    path("bookings/<uuid:reservation_id>/code/", kiosks.code, name="check-in-code"),
    path("at/<str:code>/", at.at, name="at"),
    path("at/<str:code>/fault/", at.fault, name="fault-new"),
    path("faults/", faults.faults, name="faults"),
    path("faults/<uuid:fault_id>/", faults.fault, name="fault"),
    path("faults/<uuid:fault_id>/dismiss/", faults.dismiss, name="fault-dismiss"),
    *posts(faults_api.Faults),
    path("faults/photos/<uuid:note_id>/<str:size>/", faults.photo, name="fault-photo"),
    path("manage/labels/", labels.labels, name="labels"),
    path("manage/kiosks/", kiosks.kiosks, name="kiosks"),
    path("manage/kiosks/<uuid:kiosk_id>/revoke/", kiosks.revoke, name="kiosk-revoke"),
    path("kiosk/", kiosks.kiosk, name="kiosk"),
    path("kiosk/enrol/", kiosks.enrol, name="kiosk-enrol"),
    path("kiosk/enrol/<str:token>/", kiosks.enrol, name="kiosk-enrol-link"),
    path("kiosk/<uuid:instrument_id>/", kiosks.check_in, name="kiosk-check-in"),
    path("kiosk/<uuid:instrument_id>/fault/", kiosks.fault, name="kiosk-fault"),
    path("board/", board.board, name="board"),
    path("board/events/", board.events, name="board-events"),
    path("board/<uuid:instrument_id>/close/", board.close, name="board-close"),
    path("manage/instruments/<uuid:instrument_id>/closures/", closures.closures, name="closures"),
    path("manage/closures/<uuid:closure_id>/end/", closures.end, name="closure-end"),
    path("manage/closures/<uuid:closure_id>/delete/", closures.delete, name="closure-delete"),
]
money = [
    path("sessions/", sessions.sessions, name="money-sessions"),
    path("sessions/<uuid:reservation_id>/", sessions.complete, name="money-sessions-complete"),
]
api = [
    *usage.Usage.routes(),
    *usage.AnswerUploads.routes(),
    *kiosks_api.CheckInCodes.routes(),
    *closures_api.InstrumentClosures.routes(),
    *closures_api.Closures.routes(),
    *faults_api.InstrumentFaults.routes(),
    *faults_api.Faults.routes(),
    *kiosks_api.Kiosks.routes(),
]
