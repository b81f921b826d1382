"""Addresses of *browsing*: its pages, and its part of the API."""

from django.urls import path

from bookings.browsing.api import catalogue as catalogue_api
from bookings.browsing.api import lists as lists_api
from bookings.browsing.api import ratings as ratings_api
from bookings.browsing.api import searches as searches_api
from bookings.browsing.views import catalogue, comparing, instrument, lists, maps, ratings, searches

_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path("", catalogue.catalogue, name="catalogue"),
    path("compare/", comparing.compare, name="compare"),
    path("compare/choose/", comparing.choose, name="compare-choose"),
    path("map/", maps.catalogue_map, name="map"),
    path(_instrument, instrument.instrument, name="instrument"),
    path(_instrument + "week/", instrument.week, name="week"),
    path("searches/", searches.searches, name="searches"),
    path("searches/<uuid:search_id>/change/", searches.change, name="search-change"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<uuid:list_id>/", lists.one, name="list"),
    path("lists/entries/<uuid:entry_id>/", lists.entry, name="list-entry"),
    path(_instrument + "keep/", lists.keep, name="keep"),
    path("manage/instruments/<uuid:instrument_id>/ratings/", ratings.ratings, name="ratings"),
]
api = [
    path("instruments/", catalogue_api.Instruments.as_view(), name="api-instruments"),
    path("instruments/facets/", catalogue_api.CatalogueFacets.as_view(), name="api-instrument-facets"),
    *searches_api.Searches.routes(),
    *lists_api.InstrumentLists.routes(),
    *lists_api.ListEntries.routes(),
    path(_instrument + "rating/", ratings_api.InstrumentRatingEndpoint.as_view(), name="api-rating"),
    path(_instrument + "ratings/", ratings_api.InstrumentRatings.as_view(), name="api-ratings"),
]
