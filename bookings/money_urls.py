"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import agreements, charges, grants, programmes

_agreement = "agreements/<uuid:agreement_id>/"
_programme = "vouchers/programmes/<uuid:programme_id>/"
_grant = "vouchers/<uuid:grant_id>/"

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
    path("agreements/", agreements.agreements, name="money-agreements"),
    path("agreements/new/", agreements.new, name="money-agreements-new"),
    path(_agreement, agreements.one, name="money-agreements-one"),
    path(_agreement + "change/", agreements.change, name="money-agreements-change"),
    path(_agreement + "sign/", agreements.sign, name="money-agreements-sign"),
    path(_agreement + "end/", agreements.end, name="money-agreements-end"),
    path("vouchers/", programmes.vouchers, name="money-vouchers"),
    path("vouchers/programmes/new/", programmes.new, name="money-vouchers-programme-new"),
    path(_programme, programmes.programme, name="money-vouchers-programme"),
    path(_programme + "change/", programmes.change, name="money-vouchers-programme-change"),
    path(_programme + "suspend/", programmes.suspend, name="money-vouchers-programme-suspend"),
    path(_grant, grants.one, name="money-vouchers-grant"),
    path(_grant + "change/", grants.change, name="money-vouchers-grant-change"),
    path(_grant + "suspend/", grants.suspend, name="money-vouchers-grant-suspend"),
]
