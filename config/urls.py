"""All addresses. Each area lists its own; templates and the permission table refer to them by name."""

from django.conf import settings
from django.contrib import admin
from django.contrib.sitemaps import views as sitemaps
from django.urls import include, path

from accounts.adapters.federation import openid_callback, saml_finish, saml_sign_out
from accounts.areas import addresses
from bookings.provisioning.api.scim import Scim
from config.mail.mailbox import mailbox
from config.operations import health
from config.operations.metrics import metrics
from config.pages.components import components
from config.pages.docs import doc, doc_picture, docs
from config.pages.sitemaps import SITEMAPS, robots
from instruments.exchange.api.oai import Oai

urlpatterns = [
    path("api/v1/", include("config.api.urls")),  # first: asked most
    path(
        "",
        include(([path("money/", include(addresses("money"))), *addresses("pages", "bookings")], "bookings")),
    ),
    path("", include((addresses("pages", "instruments"), "instruments"))),
    path("", include((addresses("pages", "accounts"), "accounts"))),
    # Before allauth's own, which checks less.
    path("accounts/oidc/<str:provider_id>/login/callback/", openid_callback, name="openid_connect_callback"),
    path("accounts/saml/<str:organization_slug>/acs/finish/", saml_finish, name="saml_finish_acs"),
    path("accounts/saml/<str:organization_slug>/sls/", saml_sign_out, name="saml_sls"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("oai", Oai.as_view(), name="oai"),
    path("scim/v2/<uuid:organisation_id>", Scim.as_view(), name="scim"),
    path("scim/v2/<uuid:organisation_id>/<path:rest>", Scim.as_view(), name="scim-part"),
    path("docs/", docs, name="docs"),
    path("docs/pictures/<str:name>", doc_picture, name="doc-picture"),
    path("docs/<path:name>/", doc, name="doc"),
    path("robots.txt", robots, name="robots"),
    path(
        "sitemap.xml",
        sitemaps.index,
        {"sitemaps": SITEMAPS, "sitemap_url_name": "sitemap-part"},
        name="sitemap",
    ),
    path(
        "sitemap-<slug:section>.xml",
        sitemaps.sitemap,
        {"sitemaps": SITEMAPS, "template_name": "sitemap_part.xml"},
        name="sitemap-part",
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("readyz/web", health.readyz_web, name="readyz-web"),
    path("metrics", metrics, name="metrics"),
]
if settings.LOCAL_MODE:
    urlpatterns += [path("mail/", mailbox, name="mail"), path("components/", components, name="components")]

handler400 = "config.pages.errors.bad_request"
handler403 = "config.pages.errors.forbidden"
handler404 = "config.pages.errors.not_found"
handler429 = "config.pages.errors.too_many"  # allauth's name; Django has none
handler500 = "config.pages.errors.failed"
