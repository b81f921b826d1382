"""Read the identity providers from the environment: ORCID, OpenID Connect, SAML.

Settings read them once; those entered on the administration pages are added to them. Mistakes are reported
when the platform starts, not when somebody signs in. See docs/operations.md.
"""

import json
from pathlib import Path
from typing import Any

from config import env
from config.env import Misconfigured

# What each kind of entry must have, and may.
OIDC = ({"id", "name", "issuer", "client_id", "secret"}, {"scopes", "claims", "ask_for"})
SAML = (
    {"id", "name", "entity_id"},
    {"scopes", "metadata_url", "sso_url", "certificate", "identifier", "claims"},
)
IDENTIFIERS = ("pairwise-id", "subject-id", "persistent")


@env.reader(dict[str, Any]())
def providers() -> dict[str, Any]:
    """Return the setting SOCIALACCOUNT_PROVIDERS of allauth."""
    orcid: dict[str, Any] = {"provider_class": "accounts.adapters.federation.OrcidProvider"}
    if client_id := env.text("ORCID_CLIENT_ID", ""):
        app = {"name": "ORCID", "client_id": client_id, "secret": env.text("ORCID_SECRET")}
        orcid["APPS"] = [app]
    if env.flag("ORCID_SANDBOX"):
        orcid["BASE_DOMAIN"] = "sandbox.orcid.org"
    return {
        "orcid": orcid,
        "openid_connect": {
            "provider_class": "accounts.adapters.federation.OpenIDProvider",
            "APPS": [_oidc(entry) for entry in _entries("SIGN_IN_OIDC", *OIDC)],
        },
        "saml": {
            "provider_class": "accounts.adapters.federation.SamlProvider",
            "APPS": [_saml(entry) for entry in _entries("SIGN_IN_SAML", *SAML)],
        },
    }


def _oidc(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider_id": entry["id"],
        "name": entry["name"],
        "client_id": entry["client_id"],
        "secret": entry["secret"],
        "settings": {
            "server_url": entry["issuer"],
            "scopes": entry.get("scopes", []),
            "claims": entry.get("claims", {}),
            "scope": entry.get("ask_for", ["openid", "profile", "email"]),
        },
    }


def _saml(entry: dict[str, Any]) -> dict[str, Any]:
    idp = {"entity_id": entry["entity_id"]}
    if "metadata_url" in entry:
        idp["metadata_url"] = entry["metadata_url"]
    elif {"sso_url", "certificate"} <= set(entry):
        idp |= {"sso_url": entry["sso_url"], "x509cert": _pem(entry["certificate"])}
    else:
        raise Misconfigured(f"SIGN_IN_SAML, {entry['id']}: give metadata_url, or sso_url and certificate.")
    identifier = entry.get("identifier", "pairwise-id")
    if identifier not in IDENTIFIERS:
        raise Misconfigured(
            f"SIGN_IN_SAML, {entry['id']}: identifier must be one of {', '.join(IDENTIFIERS)}."
        )
    advanced: dict[str, Any] = {}
    if certificate := env.text("SAML_CERTIFICATE", ""):
        advanced = {"x509cert": _pem(certificate), "private_key": _pem(env.text("SAML_KEY"))}
        advanced |= {"authn_request_signed": True, "metadata_signed": True}
    return {
        "provider_id": entry["id"],
        "client_id": entry["id"],
        "name": entry["name"],
        "settings": {
            "idp": idp,
            "scopes": entry.get("scopes", []),
            "identifier": identifier,
            "claims": entry.get("claims", {}),
            "advanced": advanced,
        },
    }


def _pem(value: str) -> str:
    """Return a PEM text, or the contents of the file if the value is a path."""
    if "-----BEGIN" in value or len(value) > 500:
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"{value} cannot be read: {error.strerror}.") from None


def _entries(name: str, needed: set[str], allowed: set[str]) -> list[dict[str, Any]]:
    """Return the JSON list in the variable `name`, checking that every entry has the needed fields and no
    unknown ones."""
    try:
        entries = json.loads(env.text(name, "") or "[]")
    except ValueError as error:
        raise Misconfigured(f"{name} is no JSON: {error}.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Misconfigured(f"{name} must be a JSON list of objects.")
    for entry in entries:
        if missing := needed - set(entry):
            raise Misconfigured(f"{name}: an entry lacks {', '.join(sorted(missing))}.")
        if unknown := set(entry) - needed - allowed:
            raise Misconfigured(f"{name}: {', '.join(sorted(unknown))} means nothing here.")
        for key in ("issuer", "metadata_url"):
            if not entry.get(key, "https://").startswith("https://") and not env.flag("LOCAL_MODE"):
                raise Misconfigured(f"{name}, {entry['id']}: {key} must begin with https://.")
    ids = [entry["id"] for entry in entries]
    if len(ids) != len(set(ids)):
        raise Misconfigured(f"{name}: every entry needs an id of its own.")
    return entries
