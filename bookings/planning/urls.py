"""Addresses of *planning*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.planning.api import map as map_api
from bookings.planning.api import plans as plans_api
from bookings.planning.api import register as register_api
from bookings.planning.views import map as planning_map
from bookings.planning.views import plans, register

pages = [
    path("reviews/<uuid:case_id>/pdf/", register.pdf, name="review-pdf"),
    path("planning/", planning_map.planning_map, name="planning-map"),
    path("planning/cell/", planning_map.cell, name="planning-cell"),
    path("planning/decisions/", register.decisions, name="register"),
    path("planning/decisions/<slug:decision>/", register.decision, name="register-decision"),
    path("planning/purchases/", plans.plans, name="plans"),
    path("planning/purchases/new/", plans.new, name="plan-new"),
    path("planning/purchases/<uuid:plan_id>/", plans.plan, name="plan"),
    path("planning/purchases/<uuid:plan_id>/change/", plans.change, name="plan-change"),
    path("planning/purchases/<uuid:plan_id>/case/", plans.name_case, name="plan-case"),
    *posts(plans_api.PlannedPurchases),
]
api = [
    path("planning-map/", map_api.PlanningMapOfYear.as_view(), name="api-planning-map"),
    *register_api.ReviewRegister.routes(),
    path("purchase-cases/<uuid:case_id>/pdf/", register_api.CasePdf.as_view(), name="api-purchase-case-pdf"),
    *plans_api.PlannedPurchases.routes(),
]
