"""Sign people in through other providers (OpenID Connect, ORCID and SAML), with allauth and our own checks.

A person is known by the provider and the identifier it gives (`sub`, pairwise-id); a mail address never opens
an account. What a provider says about addresses and affiliations counts only within its own scopes. Security
does not depend on the settings of a provider's entry.
"""

from typing import Any

import jwt
from allauth.account.internal.flows.manage_email import assess_unique_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount import signals
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.socialaccount.providers.orcid.provider import OrcidProvider as AllauthOrcidProvider
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.providers.saml.utils import get_app_or_404
from allauth.socialaccount.providers.saml.views import finish_acs, sls
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from lxml.etree import LxmlError
from onelogin.saml2.errors import OneLogin_Saml2_Error

from accounts.domain.errors import NotPermitted
from accounts.domain.federation import affiliations, key_of, require_own_scope, vouches_for
from accounts.models import User
from accounts.selectors.installation import installation
from accounts.services.federation import signed_in_elsewhere, way_changed
from accounts.services.users import user_register

# Where attributes are found, unless an entry's `claims` say otherwise.
SAML_NAMES = {
    "pairwise-id": "urn:oasis:names:tc:SAML:attribute:pairwise-id",
    "subject-id": "urn:oasis:names:tc:SAML:attribute:subject-id",
    "targeted-id": "urn:oid:1.3.6.1.4.1.5923.1.1.1.10",
    "affiliation": "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
    "home": "urn:oid:1.3.6.1.4.1.25178.1.2.9",
    "name": "urn:oid:2.16.840.1.113730.3.1.241",
    "given": "urn:oid:2.5.4.42",
    "family": "urn:oid:2.5.4.4",
    "mail": "urn:oid:0.9.2342.19200300.100.1.3",
}
OIDC_NAMES = {
    "affiliation": "eduperson_scoped_affiliation",
    "home": "schac_home_organization",
    "name": "name",
    "given": "given_name",
    "family": "family_name",
    "mail": "email",
}
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
# Required whatever an entry says: signed with modern algorithms, for us, as an answer to our request.
MOST_SAML = 10_000  # characters of a parameter: it is unpacked before its signature is looked at
SAML_SAFE = {
    "strict": True,
    "want_assertion_signed": True,
    "reject_deprecated_algorithm": True,
    "reject_idp_initiated_sso": True,
    "allow_single_label_domains": True,  # an installation may have a host name of one word
}


def scopes_of(app: SocialApp | None) -> list[str]:
    """Return the scopes that a provider may make statements about, in lower case."""
    return [str(scope).lower() for scope in app.settings.get("scopes", [])] if app else []


def words(value: Any) -> list[str]:
    """Return an attribute or a claim as a list of words."""
    values = value if isinstance(value, list | tuple) else [value]
    return [item for item in values if isinstance(item, str) and item]


def facts_of(app: SocialApp, attributes: dict[str, list[str]]) -> dict[str, Any]:
    """Return what is stored of a person's attributes: their affiliations and home organisation, as far as
    these lie in the provider's scopes."""
    scopes = scopes_of(app)
    home = (attributes["home"] or [""])[0].lower()
    return {
        "affiliations": [str(item) for item in affiliations(attributes["affiliation"], scopes)],
        "home": home if home in scopes else "",
    }


def fields_of(attributes: dict[str, list[str]]) -> dict[str, str]:
    """Return the name and the mail address that a new account gets from the provider's attributes."""
    given, family = (" ".join(attributes[part][:1]) for part in ("given", "family"))
    whole = " ".join(attributes["name"][:1]) or f"{given} {family}".strip()
    return {"name": whole[:150], "email": " ".join(attributes["mail"][:1])}


class OnOurTerms:
    """Shows a page when one of our checks refuses a sign-in; all providers inherit from this class."""

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> Any:
        try:
            return super().sociallogin_from_response(request, response)  # type: ignore[misc]
        except NotPermitted as refused:
            raise ImmediateHttpResponse(refusal(request, self, refused)) from refused


def refusal(request: HttpRequest, provider: Any, refused: NotPermitted) -> HttpResponse:
    """Return the page that says why signing in through a provider failed."""
    context = {"code": refused.code, "provider": provider, "numbers": refused.numbers}
    return render(request, "socialaccount/authentication_error.html", context, status=403)


class OrcidProvider(AllauthOrcidProvider):  # type: ignore[misc]
    """The ORCID provider. Nothing that ORCID says is stored except the person's iD."""

    package = "allauth.socialaccount.providers.orcid"  # whose addresses serve
    name = "ORCID"

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        return {"affiliations": [], "home": ""}


class SamlProvider(OnOurTerms, SAMLProvider):  # type: ignore[misc]
    """A SAML 2.0 identity provider of a federation such as CARSI or eduGAIN."""

    package = "allauth.socialaccount.providers.saml"  # whose addresses serve

    def extract_uid(self, data: Any) -> str:
        return key_of(self.app.settings["idp"]["entity_id"], self._identifier(data))

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        return facts_of(self.app, self._attributes(data))

    def extract_common_fields(self, data: Any) -> dict[str, str]:
        return fields_of(self._attributes(data))

    def unstash_redirect_state(self, request: HttpRequest, state_id: str) -> Any:
        """Return the stored request that a SAML answer belongs to. Each request is answered only once: a
        second answer is refused with `sign-in-used`."""
        try:
            return super().unstash_redirect_state(request, state_id)
        except PermissionDenied:
            refused = NotPermitted("sign-in-used")
            raise ImmediateHttpResponse(refusal(request, self, refused)) from None

    def _attributes(self, data: Any) -> dict[str, list[str]]:
        attributes = data.get_attributes()
        names = SAML_NAMES | self.app.settings.get("claims", {})
        return {ours: words(attributes.get(theirs, [])) for ours, theirs in names.items()}

    def _identifier(self, data: Any) -> str:
        kind = self.app.settings.get("identifier", "pairwise-id")
        attributes = self._attributes(data)
        if kind == "persistent":
            if data.get_nameid_format() == PERSISTENT and data.get_nameid():
                return str(data.get_nameid())
            if attributes["targeted-id"]:
                return attributes["targeted-id"][0]
        elif len(attributes[kind]) == 1:
            identifier = attributes[kind][0].strip().lower()  # matched whatever its case
            require_own_scope(identifier, scopes_of(self.app))
            return identifier
        # A transient name would make a new person at every sign-in.
        raise NotPermitted("no-identifier", wanted=kind)


class OpenIDAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Verifies the ID token completely, even if it came directly from the provider."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        id_token = kwargs["response"].get("id_token")
        if not id_token:
            raise OAuth2Error("no id_token")
        try:
            claims = self._decode_id_token(app, id_token)
        except (KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
            raise OAuth2Error("Invalid id_token") from error
        userinfo = self._fetch_user_info(token.token)
        if not claims.get("sub") or userinfo.get("sub") != claims["sub"]:
            raise OAuth2Error("userinfo of somebody else")
        data = {"userinfo": {**claims, **userinfo, "iss": claims["iss"]}}
        return self.get_provider().sociallogin_from_response(request, data)

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return claims


class OpenIDProvider(OnOurTerms, OpenIDConnectProvider):  # type: ignore[misc]
    """Any OpenID Connect provider."""

    package = "allauth.socialaccount.providers.openid_connect"  # whose addresses serve

    oauth2_adapter_class = OpenIDAdapter

    def extract_uid(self, data: dict[str, Any]) -> str:
        claims = data["userinfo"]
        return key_of(claims["iss"], str(claims["sub"]))

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return facts_of(self.app, self._attributes(data))

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, str]:
        return fields_of(self._attributes(data))

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []  # only the address among the common fields, checked by our rules

    def _attributes(self, data: dict[str, Any]) -> dict[str, list[str]]:
        claims = data["userinfo"]
        names = OIDC_NAMES | self.app.settings.get("claims", {})
        return {ours: words(claims.get(theirs, [])) for ours, theirs in names.items()}


def openid_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Receive people whom an OpenID Connect provider sends back: allauth's view with our checks."""
    try:
        view = OAuth2CallbackView.adapter_view(OpenIDAdapter(request, provider_id))
        answer: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer


def saml_finish(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Handle a SAML provider's answer with allauth's view; show an error page for what is no valid answer."""
    try:
        answer: HttpResponse = finish_acs(request, organization_slug=organization_slug)
    except (LxmlError, OneLogin_Saml2_Error, UnicodeError):
        provider = get_app_or_404(request, organization_slug).get_provider(request)
        answer = render_authentication_error(request, provider)
    return answer


def saml_sign_out(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Sign a person out here when a SAML provider has signed them out. Requests without a signature get a
    404, so that a mere link signs nobody out."""
    if "Signature" not in request.GET or any(len(text) > MOST_SAML for text in request.GET.values()):
        raise Http404
    answer: HttpResponse = sls(request, organization_slug=organization_slug)
    return answer


class FederationAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Adapts allauth's sign-in through providers to this platform."""

    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "email_taken": _(
            "This address already has an account. Sign in to it, then connect %s in your profile."
        ),
        "no_password": _("Set a password first: otherwise you could no longer sign in."),
        "no_verified_email": _("Confirm your e-mail address first."),
        "connected_other": _("This sign-in belongs to another account."),
    }

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> Any:
        apps = super().list_apps(request, provider=provider, client_id=client_id)
        for app in apps:
            if app.provider == "saml":
                app.settings["advanced"] = app.settings.get("advanced", {}) | SAML_SAFE
            elif app.provider == "openid_connect":
                app.settings["oauth_pkce_enabled"] = True
                app.settings["email_authentication"] = False
        return apps

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return whether the person may sign up. Where strangers are not admitted, only people from a
        provider with scopes may, since an institution vouches for its own members; anybody can have an ORCID
        iD."""
        return installation().admits_strangers or bool(scopes_of(sociallogin.provider.app))

    def is_email_verified(self, provider: Any, email: str) -> bool:
        return vouches_for(email, scopes_of(provider.app))

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Show a page that explains how to connect the sign-in to an existing account if the person's mail
        address already has one and the provider may vouch for it. The address itself never opens the
        account."""
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        for address in sociallogin.email_addresses:
            if address.verified and assess_unique_email(address.email) is not True:
                context = {"email": address.email, "provider": sociallogin.provider}
                page = render(request, "socialaccount/taken.html", context, status=409)
                raise ImmediateHttpResponse(page)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        whole = " ".join(data.get(part) or "" for part in ("first_name", "last_name")).strip()
        user.name = (data.get("name") or whole)[:150]
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_signup_form_initial_data(sociallogin)
        return initial | {"name": sociallogin.user.name}

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        user = sociallogin.user
        if form is None:
            user.set_unusable_password()
            user.email = user.email.lower()
            user.time_zone = str(timezone.get_current_timezone())
            user_register(user=user, now=timezone.now())
            super().save_user(request, sociallogin)
        else:
            super().save_user(request, sociallogin, form)
        _record(user, "user.way-add", sociallogin.account.provider)
        return user


def _way_added(sociallogin: Any, **kwargs: Any) -> None:
    user, account = sociallogin.user, sociallogin.account
    _record(user, "user.way-add", account.provider)
    signed_in_elsewhere(
        user=user, affiliations=account.extra_data.get("affiliations", []), now=timezone.now()
    )


def _way_removed(socialaccount: Any, **kwargs: Any) -> None:
    _record(socialaccount.user, "user.way-remove", socialaccount.provider)


def _record(user: User, action: str, provider: str) -> None:
    way_changed(user=user, action=action, provider=provider, now=timezone.now())


def connect() -> None:
    """Connect the functions that handle allauth's signals about sign-ins through providers."""
    signals.social_account_added.connect(_way_added, dispatch_uid="accounts._way_added")
    signals.social_account_removed.connect(_way_removed, dispatch_uid="accounts._way_removed")
