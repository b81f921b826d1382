"""Addresses of *board*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.board.api import alarms as alarms_api
from bookings.board.api import enquiries as enquiries_api
from bookings.board.views import alarms, bids, enquiries

pages = [
    path("needs/<uuid:need_id>/enquiry/", enquiries.new, name="enquiry-new"),
    path("enquiries/", enquiries.enquiries, name="enquiries"),
    path("enquiries/<uuid:enquiry_id>/", enquiries.enquiry, name="enquiry"),
    path("enquiries/<uuid:enquiry_id>/accept/", enquiries.accept, name="enquiry-accept"),
    path("open-enquiries/", bids.open_enquiries, name="open-enquiries"),
    path("bids/", bids.bids, name="bids"),
    path("bids/<uuid:bid_id>/", bids.bid, name="bid"),
    path("bids/<uuid:enquiry_id>/new/", bids.answer, name="enquiry-answer"),
    path("bids/<uuid:bid_id>/amend/", bids.amend, name="bid-amend"),
    *posts(enquiries_api.Enquiries, enquiries_api.OpenEnquiries, enquiries_api.Bids, alarms_api.Alarms),
    path("clusters/", enquiries.clusters, name="clusters"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/thresholds/", alarms.thresholds, name="alarm-thresholds"),
    path("alarms/<uuid:alarm_id>/", alarms.alarm, name="alarm"),
]
api = [
    *enquiries_api.Enquiries.routes(),
    *enquiries_api.OpenEnquiries.routes(),
    *enquiries_api.Bids.routes(),
    *enquiries_api.Clusters.routes(),
    *alarms_api.AlarmThresholds.routes(),
    *alarms_api.Alarms.routes(),
]
