"""Addresses of *reviews*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.reviews.api import reviews as reviews_api
from bookings.reviews.views import reviews, schemes

pages = [
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/schemes/", schemes.schemes, name="review-schemes"),
    path("reviews/new/", reviews.new, name="review-new"),
    path("reviews/pledges/<uuid:pledge_id>/", reviews.pledge, name="review-pledge"),
    path("reviews/opinions/<uuid:expert_id>/", reviews.opinion, name="review-opinion"),
    path("reviews/<uuid:case_id>/", reviews.review, name="review"),
    path("reviews/<uuid:case_id>/change/", reviews.change, name="review-change"),
    path("reviews/<uuid:case_id>/decide/", reviews.decide, name="review-decide"),
    path("reviews/<uuid:case_id>/service/", reviews.in_service, name="review-service"),
    *posts(reviews_api.PurchaseCases, reviews_api.HostPledges),
]
api = [
    path("review-schemes/check/", reviews_api.SchemeCheck.as_view(), name="api-review-schemes-check"),
    *reviews_api.ReviewSchemes.routes(),
    *reviews_api.PurchaseCases.routes(),
    *reviews_api.HostPledges.routes(),
    *reviews_api.CaseOpinions.routes(),
]
