"""The addresses of *accounts*, as tests/architecture/permission_table.py reads them."""

from accounts.domain.roles import By
from accounts.forms import refusal_signed
from accounts.selectors.messages import all_topics
from accounts.services.access import access_ask
from tests.factories.cast import NOW, Cast

PAGES = """
GET  accounts:saved-views             - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:saved-views             - 302 302 302 302 302 302 302 302 302 302 302 302
POST accounts:saved-view-delete       - 404 302 404 404 404 404 404 404 404 404 404 404
GET  accounts:messages                - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:message                 - 404 302 404 404 404 404 404 404 404 404 404 404
POST accounts:messages-read           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:message-settings        - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:message-settings        - 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:unsubscribe           200 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:unsubscribe           200 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:language             302 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:profile                - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:profile                - 400 400 400 400 400 400 400 400 400 400 400 400
POST accounts:token-make             - 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:token-made             - 302 302 302 302 302 302 302 302 302 302 302 302
POST accounts:program-remove         - 404 404 404 404 404 404 404 404 404 404 404 404
POST accounts:token-revoke           - 404 404 404 404 404 404 404 404 404 404 404 404
GET  accounts:organisations          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  accounts:join                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:join                   - 409 409 302 302 302 409 409 302 302 302 302 302
POST accounts:join-withdraw          - 302 404 404 404 404 404 404 404 404 404 404 404
GET  accounts:invitation           200 200 403 403 403 403 403 403 403 403 403 403 403
POST accounts:invitation             - 302 403 403 403 403 403 403 403 403 403 403 403
POST accounts:invitation-accept      - 302 409 409 409 409 409 409 409 409 409 409 409
GET  accounts:installation            - 403 403 403 403 403 403 403 403 403 403 403 200
POST accounts:installation            - 403 403 403 403 403 403 403 403 403 403 403 302
GET  accounts:installation-logo     404 404 404 404 404 404 404 404 404 404 404 404 404
POST accounts:second-ask              - 403 409 403 403 403 409 409 403 403 403 403 403
POST accounts:access-ask              - 403 302 403 403 403 302 302 403 403 403 403 403
POST accounts:access-grant            - 404 403 404 404 404 302 404 404 404 404 404 302
POST accounts:access-decline          - 404 403 404 404 404 302 404 404 404 404 404 302
GET  accounts:people                 - 403 403 403 403 302 302 403 403 200 403 403 200
GET  accounts:roles                  - 403 403 403 403 403 403 403 403 403 403 403 200
POST accounts:roles                  - 403 403 403 403 403 403 403 403 403 403 403 302
GET  accounts:organisation-move      - 403 403 403 403 403 403 403 403 403 403 200 200
POST accounts:organisation-move      - 403 403 403 403 403 403 403 403 403 403 400 302
GET  accounts:members                - 403 403 403 403 403 200 403 403 403 403 403 200
GET  accounts:invite                 - 403 403 403 403 403 302 403 403 403 403 200 302
POST accounts:invite                 - 403 403 403 403 403 302 403 403 403 403 403 302
POST accounts:invitation-withdraw    - 403 403 403 403 403 302 403 403 403 403 404 302
POST accounts:join-approve           - 403 404 404 404 404 302 404 404 404 404 404 302
POST accounts:join-reject            - 403 404 404 404 404 302 404 404 404 404 404 302
GET  accounts:joining                - 403 403 403 403 403 200 403 403 403 403 403 200
POST accounts:joining                - 403 403 403 403 403 302 403 403 403 403 403 302
GET  accounts:scopes                 - 403 403 403 403 403 403 403 403 403 403 403 200
POST accounts:scopes                 - 403 403 403 403 403 403 403 403 403 403 403 302
GET  accounts:invoice-details        - 403 403 403 403 403 403 200 403 403 403 200 200
POST accounts:invoice-details        - 403 403 403 403 403 403 302 403 403 403 302 302
GET  accounts:providers              - 403 403 403 403 403 403 403 403 403 403 403 200
POST accounts:providers              - 403 403 403 403 403 403 403 403 403 403 403 302
POST accounts:provider-remove        - 403 403 403 403 403 403 403 403 403 403 403 404
POST accounts:role-give              - 403 403 403 403 403 302 403 403 403 403 403 302
POST accounts:role-take              - 404 302 404 404 404 302 404 404 404 404 404 302
"""
API = """
GET    api-regions                 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-organisations           200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-regions                   - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-region                  200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-region                    - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-region-close              - 403 403 403 403 403 403 403 403 403 403 403 409
GET    api-organisation-requests     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-organisation-requests     - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-organisation-request      - 200 404 404 404 404 404 404 404 404 404 200 200
DELETE api-organisation-request      - 204 404 404 404 404 404 404 404 404 404 404 404
POST   api-organisation-request-approve - 403 404 404 404 404 404 404 404 404 404 200 200
POST   api-organisation-request-reject - 403 404 404 404 404 404 404 404 404 404 200 200
POST   api-organisations             - 403 403 403 403 403 403 403 403 403 403 201 201
GET    api-organisation            200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-organisation              - 403 403 403 403 403 403 403 403 403 403 200 200
GET  api-messages                     - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-message                      - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH api-message                      - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-messages-read                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-message-settings             - 200 200 200 200 200 200 200 200 200 200 200 200
PUT  api-message-settings             - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-organisation-joining      - 403 403 403 403 403 200 403 403 403 403 403 200
PUT    api-organisation-joining      - 403 403 403 403 403 200 403 403 403 403 403 200
GET    api-organisation-scopes       - 403 403 403 403 403 403 403 403 403 403 403 200
PUT    api-organisation-scopes       - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisation-moves        - 403 403 403 403 403 403 403 403 403 403 403 201
POST   api-organisation-move-withdraw  - 404 404 404 404 404 404 404 404 404 404 404 404
GET    api-me                        - 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-me                        - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-memberships               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-membership                - 404 200 404 404 404 200 404 404 404 404 404 200
GET    api-roles                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-roles                     - 403 403 403 403 403 201 403 403 403 403 403 201
GET    api-role                      - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-role-revoke               - 404 200 404 404 404 200 404 404 404 404 404 200
GET    api-invitations               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-invitations               - 403 403 403 403 403 201 403 403 403 403 403 201
GET    api-invitation                - 200 404 404 404 404 200 404 404 404 404 404 200
DELETE api-invitation                - 403 404 404 404 404 204 404 404 404 404 404 204
POST   api-invitation-accept         - 200 404 404 404 404 403 404 404 404 404 404 403
POST   api-invitation-accept-token   - 200 403 403 403 403 403 403 403 403 403 403 403
GET    api-tokens                    - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-programs                  - 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-program                   - 404 404 404 404 404 404 404 404 404 404 404 404
DELETE api-token                     - 404 404 404 404 404 404 404 404 404 404 404 404
GET    api-access-requests           - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-access-request            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-access-request-grant      - 404 403 404 404 404 200 404 404 404 404 404 200
POST   api-access-request-decline    - 404 403 404 404 404 200 404 404 404 404 404 200
GET    api-join-requests             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-join-requests             - 409 409 201 201 201 409 409 201 201 201 201 201
GET    api-join-request              - 200 404 404 404 404 200 404 404 404 404 404 200
DELETE api-join-request              - 204 404 404 404 404 404 404 404 404 404 404 404
POST   api-join-request-approve      - 403 404 404 404 404 200 404 404 404 404 404 200
POST   api-join-request-reject       - 403 404 404 404 404 200 404 404 404 404 404 200
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-region-close                 409 region-has-organisations
POST   api-invitation-accept            403 another-address
POST   api-invitation-accept-token      403 another-address
POST   api-join-requests                409 already-asked
POST   api-join-requests                409 already-member
"""

# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "code": "sample-code",
    "view_id": "view",
    "token_id": "absent",
    "program_id": "absent",
    "organisation_id": "fudan",
    "user_id": "member",
    "message_id": "message",
    "membership_id": "membership",
    "role_id": "role",
    "invitation_id": "invitation",
    "token": "invitation-token",
    "request_id": "join-request",
}
# And where an address means another.
THINGS = {
    ("accounts:access-grant", "request_id"): "access-request",
    ("accounts:access-decline", "request_id"): "access-request",
    ("api-access-request", "request_id"): "access-request",
    ("api-access-request-grant", "request_id"): "access-request",
    ("api-access-request-decline", "request_id"): "access-request",
    ("accounts:unsubscribe", "token"): "unsubscribe-token",
    ("api-region", "code"): "region-code",
    ("api-organisation-request", "request_id"): "missing",
    ("api-organisation-request-approve", "request_id"): "missing",
    ("api-organisation-request-reject", "request_id"): "missing",
    ("api-region-close", "code"): "region-code",
}
# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {"accounts:saved-views": "?page=/money/charges/"}

MISSING = {"name": "Another University", "kind": "university"}
PAGE_BODIES = {
    "accounts:organisation-move": {
        "act": "decide",
        "region": "<anhui>",
        "starts_on": "2026-04-01",
        "code": "fudan",
    },
    "accounts:saved-views": {"page": "/money/charges/", "name": "mine"},
    "accounts:message": {"act": "open"},
    "accounts:message-settings": {
        **{f"mail-{name}": "at-once" for name, rule in all_topics().items() if not rule.is_required},
        "mail-reminder": "daily",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
    },
    "accounts:language": {"language": "en", "next": "/"},
    "accounts:installation": {"name": "Test", "languages": ["en", "zh-hans"], "usual": "en", "version": "0"},
    "accounts:second-ask": {"code": "no-second-accountant", "organisation": "<fudan>"},
    "accounts:access-ask": {"organisation": "<fudan>", "refusal": refusal_signed("account", "/money/")},
    "accounts:access-grant": {"role": "finance"},
    "accounts:access-decline": {"reason": "test"},
    "accounts:join": {"text": "test"},
    "accounts:invite": {"email": "new@nowhere.example", "roles": ["researcher"], "days": "14"},
    "accounts:join-approve": {"roles": ["researcher"]},
    "accounts:join-reject": {"reason": "test"},
    "accounts:joining": {"mail_domains": "nowhere.example", "admits_by_mail": "on"},
    "accounts:scopes": {"scopes": "nowhere.example", "admits_by_scope": "on"},
    "accounts:invoice-details": {"legal_name": "USTC", "bank_account": "1 2 3"},
    "accounts:providers": {
        "kind": "openid_connect",
        "id": "nowhere",
        "name": "Nowhere",
        "entity": "https://nowhere.example",
        "client_id": "x",
        "secret": "x",
        "scopes": "nowhere.example",
    },
    "accounts:role-give": {"role": "finance"},
    "accounts:role-take": {"reason": "test"},
    "accounts:roles": {"user": "hu@optics.example", "role": "auditor", "region": "CN-SH"},
}
API_BODIES = {
    ("POST", "api-organisation-requests"): MISSING | {"region": "CN-AH"},
    ("POST", "api-organisation-request-approve"): {"organisation": "fudan"},
    ("POST", "api-organisation-request-reject"): {"reason": "It is a part of Fudan."},
    ("POST", "api-regions"): {"scheme": "iso-3166-2", "code": "CN-JS"},
    ("PATCH", "api-region"): {"name": "Another name"},
    ("POST", "api-organisations"): {
        "code": "third",
        "name": "Third University",
        "kind": "university",
        "region": "CN-SH",
    },
    ("PATCH", "api-organisation"): {"name": "Another name"},
    ("PUT", "api-organisation-joining"): {"mail_domains": ["fudan.example"], "admits_by_mail": False},
    ("PUT", "api-organisation-scopes"): {"scopes": ["nowhere.example"], "admits_by_scope": False},
    ("POST", "api-organisation-moves"): {"region": "CN-AH", "starts_on": "2026-04-01"},
    ("POST", "api-roles"): {"user": "<member>", "role": "finance", "organisation": "fudan"},
    ("POST", "api-role-revoke"): {"reason": "test"},
    ("POST", "api-invitations"): {"organisation": "fudan", "email": "new@nowhere.example"},
    ("POST", "api-invitation-accept-token"): {"token": "<invitation-token>"},
    ("POST", "api-access-request-grant"): {"role": "finance"},
    ("POST", "api-access-request-decline"): {"reason": "test"},
    ("POST", "api-join-requests"): {"organisation": "fudan"},
    ("POST", "api-join-request-reject"): {"reason": "test"},
    ("PATCH", "api-message"): {"is_read": True},
    ("PUT", "api-message-settings"): {"topics": {"reminder": {"mail": "off"}}, "quiet": None},
}
# Who has most to see on a page.
SEEN_BY = {"accounts:messages": "wang", "accounts:organisations": "alice"}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "accounts:members": 9  # people, what they hold, ask and were asked; what waits for the reader
}


def things(cast: Cast) -> dict[str, str]:
    asked = access_ask(By(cast.actor("wang"), NOW), organisation=cast.fudan, capability="read-money")
    return {"access-request": str(asked.pk)}
