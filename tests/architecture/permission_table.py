"""Who gets which answer at every address of the project's own pages and API.

One row an address and method; one column a person (tests/factories/cast.py): nobody signed in;
Alice, who belongs nowhere; Wang (researcher of the payer, whose booking it is); Sun (researcher of
the host); Hu (researcher of an enterprise of the host's region); Zhao (manager of the host); Chen
(manager of the payer); Lin (finance of the payer); Gao (finance of the host); an auditor and a
coordinator of the host's region; Xu, coordinator of the payer's; an administrator.
`-` means: sent to sign in (pages), or 401 (API). 302 on a POST means done.
"""

from accounts.domain.messages import TOPICS

PEOPLE = (
    "", "alice", "wang", "sun", "hu", "zhao", "chen", "lin", "gao", "auditor", "coordinator", "xu",
    "admin",
)  # fmt: skip

# allauth's and Django's own; their pages are tried in tests/accounts.
NOT_OURS = (
    "account_", "mfa_", "socialaccount_", "usersessions_", "openid_connect_", "orcid_", "saml_",
    "admin",
)  # fmt: skip

PLAN = {
    "technique": "PaNET01198",
    "name": "Microscope",
    "year": 2027,
    "price": "6500000",
    "currency": "CNY",
    "hours": 1400,
    "confidence": "likely",
}
NEED = {
    "text": "grain size",
    "earliest": "2026-03-06T00:00:00Z",
    "latest": "2026-03-20T00:00:00Z",
    "minutes": 60,
}
CASE = {
    "scheme": "cn-shanghai",
    "money": "regional",
    "techniques": ["PaNET01198"],
    "name": "Microscope",
    "reason": "Our students wait.",
    "price": "2000000.00",
    "currency": "CNY",
    "years": 5,
    "hours": 400,
    "place": "Campus",
}
DECISION = {"decision": "approved", "grounds": ["area-full"], "reason": "As the figures say."}
THRESHOLD = {
    "region": "CN-AH",
    "parameter": "idle_percent",
    "value": "15",
    "valid_from": "2026-04-01",
    "source": "test",
}
BID = {"starts": ["2026-03-24T05:00:00Z"], "service_mode": "assisted"}
SAMPLE_ITEM = {"name": "Film", "afterwards": "return"}
NEED_FORM = NEED | {"earliest": "2026-03-06T08:00", "latest": "2026-03-20T08:00", "minutes": "60"}

PAGES = """
GET  bookings:catalogue            200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:compare              200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:compare-choose       302 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:map                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:palette              200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:home                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:lists                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:lists                  - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:list                   - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:list                   - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:list-entry             - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:keep                   - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:searches               - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:searches               - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:search-change          - 404 302 404 404 404 404 404 404 404 404 404 404
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
GET  bookings:feed                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:instrument-feed       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:feeds                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:access                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:access                  - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:feed-make               - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:feed-revoke             - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:busy-calendar           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:webhooks                - 403 403 403 403 200 200 403 403 403 403 403 200
POST bookings:webhooks                - 403 403 403 403 302 400 403 403 403 403 403 302
GET  bookings:webhook                 - 404 404 404 404 200 404 404 404 404 404 404 200
POST bookings:webhook                 - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-rotate          - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-ping            - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-replay          - 404 404 404 404 302 404 404 404 404 404 404 302
POST bookings:webhook-delete          - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:result-package          - 404 200 404 404 200 200 403 403 403 404 404 404
GET  bookings:result-file             - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:result-link             - 404 302 404 404 302 302 403 403 403 404 404 404
POST bookings:result-link-revoke      - 404 302 404 404 302 302 404 404 404 404 404 404
POST bookings:result-confirm          - 404 302 404 404 403 302 403 403 403 404 404 404
POST bookings:result-keep             - 404 302 404 404 302 302 403 403 403 404 404 404
POST bookings:result-keep-answer      - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-hold             - 404 403 404 404 302 403 403 403 302 404 404 302
GET  bookings:collect               200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:collect-package       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:collect-file          200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:techniques        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:technique         200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:measurands        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:measurand         200 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:measurand           - 403 403 403 403 403 403 403 403 403 403 403 302
GET  instruments:measurand-new       - 403 403 403 403 403 403 403 403 403 403 403 200
POST instruments:measurand-new       - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:instrument           200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:week                 200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:choose               200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:book                   - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:book                   - 403 302 302 302 400 400 403 403 403 403 403 403
POST bookings:hold                   - 400 200 200 200 403 403 403 403 400 400 400 400
POST bookings:release                - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:quote                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:series-new             - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:series-new             - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:series                 - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:series-cancel          - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:series-cancel          - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:series-move            - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:series-move            - 404 302 404 404 400 302 403 403 403 404 404 404
GET  bookings:chain-new              - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:chain-new              - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:chain                  - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:chain-cancel           - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:import                 - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:import                 - 403 302 302 302 422 422 403 403 403 403 403 403
GET  bookings:mine                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:results                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:result                 - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:result-upload          - 404 403 404 404 200 403 403 403 403 404 404 404
POST bookings:result-file-remove     - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-seal            - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-release         - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-point           - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-withdraw        - 404 403 404 404 302 403 403 403 403 404 404 404
POST bookings:result-announce        - 404 403 404 404 302 403 403 403 403 404 404 404
GET  bookings:result-terms           - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:result-terms           - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:result-storage         - 403 403 403 403 200 403 403 403 403 403 403 200
POST bookings:result-storage-change  - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:enquiries             - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:enquiry-new           - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-new           - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:enquiry               - 404 200 404 404 404 200 404 404 404 404 404 404
POST bookings:enquiry-accept        - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:enquiry-close         - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:bid-decline           - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:open-enquiries        - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:bids                  - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:enquiry-answer        - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:enquiry-answer        - 404 404 404 404 409 404 404 404 404 404 404 404
GET  bookings:bid-amend             - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:bid-amend             - 404 404 404 404 302 404 404 404 404 404 404 404
POST bookings:bid-withdraw          - 404 404 404 404 302 404 404 404 404 404 404 404
GET  bookings:clusters              - 403 403 403 403 403 403 403 403 403 200 200 403
GET  bookings:batches               - 403 403 403 403 403 403 403 403 403 200 200 403
GET  bookings:batch-new             - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:batch-new             - 403 403 403 403 403 403 403 403 403 400 302 403
GET  bookings:batch                 - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:batch-accept          - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:batch-give-back       - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:needs                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:need-new               - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:need-new               - 403 302 302 302 403 403 403 403 403 403 403 403
GET  bookings:need                   - 404 200 404 404 404 200 404 404 404 404 404 404
GET  bookings:need-change            - 404 200 404 404 404 404 404 404 404 404 404 404
POST bookings:need-change            - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:need-correct           - 404 302 404 404 404 404 404 404 404 404 404 404
POST bookings:need-share             - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:need-withdraw          - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:reviews                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:review-new             - 404 200 200 200 200 200 404 404 404 404 404 404
POST bookings:review-new             - 404 302 400 400 400 302 404 404 404 404 404 404
GET  bookings:review                 - 200 200 404 404 200 200 404 404 404 404 200 200
GET  bookings:review-change          - 404 200 404 404 404 200 404 404 404 404 404 404
POST bookings:review-change          - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:review-act             - 404 403 404 404 404 302 404 404 404 404 404 404
POST bookings:review-experts         - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-decide          - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:review-appeal          - 403 403 404 404 404 302 404 404 404 404 403 403
POST bookings:review-service         - 403 403 404 404 404 400 404 404 404 404 403 403
GET  bookings:review-pledge          - 404 404 404 404 200 404 404 404 404 404 404 404
POST bookings:review-pledge          - 404 404 404 404 302 404 404 404 404 404 404 404
GET  bookings:review-opinion         - 200 404 404 404 404 404 404 404 404 404 404 404
POST bookings:review-opinion         - 302 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:planning-map           - 403 403 403 403 403 403 403 403 200 200 200 200
GET  bookings:planning-cell          - 403 403 403 403 403 403 403 403 200 200 200 200
GET  bookings:review-pdf             - 200 200 404 404 404 200 404 404 404 404 200 200
GET  bookings:register-decision    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:register             200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:plans                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:plan-new               - 403 403 403 403 200 200 403 403 403 200 200 403
POST bookings:plan-new               - 403 403 403 403 302 400 403 403 403 302 400 403
GET  bookings:plan                   - 404 404 404 404 200 200 200 200 200 200 200 200
GET  bookings:plan-change            - 404 404 404 404 200 403 403 403 403 200 403 403
POST bookings:plan-change            - 404 404 404 404 302 403 403 403 403 302 403 403
POST bookings:plan-case              - 404 404 404 404 400 403 403 403 403 400 403 403
POST bookings:plan-drop              - 404 404 404 404 302 403 403 403 403 302 403 403
GET  bookings:sample-items           - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:sample-new             - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:sample-new             - 400 302 302 302 403 403 403 403 400 400 400 400
GET  bookings:sample-queue           - 403 403 403 403 200 200 403 403 403 403 403 403
POST bookings:sample-steps           - 404 403 404 404 302 409 404 404 404 404 404 404
GET  bookings:sample-labels          - 404 200 404 404 200 200 404 404 404 404 404 404
POST bookings:sample-labels          - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:sample-item            - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:sample-change          - 404 200 404 404 404 200 404 404 404 404 404 404
POST bookings:sample-change          - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-step            - 404 302 404 404 409 302 404 404 404 404 404 404
POST bookings:sample-join            - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-join-many       - 404 302 404 404 404 302 404 404 404 404 404 404
POST bookings:sample-photo-new       - 404 400 404 404 400 400 404 404 404 404 404 404
POST bookings:sample-photo-remove    - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:sample-photo           - 404 200 404 404 200 200 404 404 404 404 404 404
GET  bookings:waiting                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:waiting-new            - 403 200 200 200 403 403 403 403 403 403 403 403
POST bookings:waiting-new            - 403 302 302 302 403 403 403 403 403 403 403 403
POST bookings:waiting-withdraw       - 404 302 404 404 403 404 404 404 404 404 404 404
POST bookings:waiting-decline        - 404 302 404 404 404 404 404 404 404 404 404 404
GET  bookings:spending               - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:calendar               - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:reservation            - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:cancel                 - 404 302 404 404 302 302 403 403 403 404 404 404
GET  bookings:move                   - 404 200 404 404 200 200 403 403 403 404 404 404
POST bookings:move                   - 404 302 404 404 302 302 403 403 403 404 404 404
GET  instruments:house-rules       200 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:house-rules         - 302 302 302 302 302 302 302 302 302 302 302 302
GET  instruments:house-rules-edit    - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:house-rules-edit    - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:facility-house-rules  - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:facility-house-rules  - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:questions              - 404 200 404 404 200 403 403 403 403 404 404 404
POST bookings:questions              - 404 302 404 404 302 403 403 403 403 404 404 404
GET  bookings:answer-file            - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:questions-owed         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:questionnaires         - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:questionnaires         - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:answers                - 403 403 403 403 200 403 403 403 403 403 403 403
GET  bookings:kept-hours             - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kept-hours-manage      - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:kept-hours-manage      - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:kept-hours-change      - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:kept-hours-end         - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:meters                 - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:meters                 - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counters               - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:meter                  - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:meter                  - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:reading                - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:reading                - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counter-done           - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:counter-retire         - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:check-in               - 404 302 404 404 302 403 403 403 403 404 404 404
POST bookings:check-out              - 404 409 404 404 409 403 403 403 403 404 404 404
POST bookings:rate                   - 404 409 404 404 409 403 403 403 403 404 404 404
POST bookings:rating-answer          - 404 409 404 404 409 403 403 403 403 404 404 404
GET  bookings:conversations          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:conversation           - 404 200 404 404 200 200 200 200 404 404 404 404
POST bookings:conversation-write     - 404 302 404 404 302 302 302 302 404 404 404 404
POST bookings:conversation-resolve   - 404 302 404 404 302 302 302 302 404 404 404 404
POST bookings:conversation-read      - 404 204 404 404 204 204 204 204 404 404 404 404
GET  bookings:conversation-propose   - 404 200 404 404 200 200 403 403 404 404 404 404
POST bookings:conversation-propose   - 404 302 404 404 302 302 403 403 404 404 404 404
POST bookings:comment-withdraw       - 404 302 404 404 403 403 403 403 404 404 404 404
POST bookings:proposal-answer        - 404 302 404 404 403 302 403 403 404 404 404 404
GET  bookings:comment-file           - 404 200 404 404 200 200 200 200 404 404 404 404
POST bookings:check-in-code          - 404 200 404 404 404 403 403 403 403 404 404 404
GET  bookings:at                   200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:fault-new              - 403 200 200 200 200 200 403 403 403 403 403 403
POST bookings:fault-new              - 403 302 302 302 302 302 403 403 403 403 403 403
GET  bookings:faults                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:alarms                 - 403 403 403 403 200 200 403 403 200 200 200 200
GET  bookings:alarm                  - 404 404 404 404 200 404 404 404 200 200 404 404
POST bookings:alarm                  - 404 404 404 404 302 404 404 404 403 403 404 404
GET  bookings:alarm-thresholds       - 403 403 403 403 200 200 403 403 200 200 200 200
POST bookings:alarm-thresholds       - 403 403 403 403 403 403 403 403 403 302 400 302
GET  bookings:fault                  - 404 200 404 404 200 404 404 200 200 404 404 404
POST bookings:fault                  - 404 403 404 404 302 404 404 403 403 404 404 404
POST bookings:fault-dismiss          - 404 403 404 404 302 404 404 403 403 404 404 404
GET  bookings:fault-photo            - 404 200 404 404 200 404 404 200 200 404 404 404
GET  bookings:labels                 - 403 403 403 403 200 200 403 403 403 403 403 200
GET  bookings:kiosks                 - 403 403 403 403 200 200 403 403 403 403 403 200
POST bookings:kiosks                 - 403 403 403 403 200 400 403 403 403 403 403 200
POST bookings:kiosk-revoke           - 404 404 404 404 302 404 404 404 404 404 404 302
GET  bookings:kiosk                200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kiosk-enrol          200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:kiosk-enrol          302 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:kiosk-enrol-link     200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:kiosk-check-in       404 404 404 404 404 404 404 404 404 404 404 404 404
POST bookings:kiosk-check-in       404 404 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:board                  - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:board-events           - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:board-close            - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:board-close            - 403 403 403 403 302 403 403 403 403 403 403 403
GET  bookings:requests               - 403 403 403 403 200 200 403 403 403 403 403 403
GET  bookings:hosted                 - 403 403 403 403 200 200 403 403 403 403 403 403
POST bookings:decide-many            - 403 403 403 403 302 400 403 403 403 403 403 403
POST bookings:decide                 - 404 403 404 404 302 403 403 403 403 404 404 404
GET  bookings:closures               - 403 403 403 403 200 403 403 403 403 403 403 403
GET  bookings:ratings                - 403 403 403 403 200 403 403 403 403 403 403 403
POST bookings:closures               - 403 403 403 403 302 403 403 403 403 403 403 403
POST bookings:closure-end            - 404 404 403 404 400 404 404 403 403 403 404 404
GET  bookings:duplicates             - 403 403 403 403 200 200 403 403 403 200 200 403
POST bookings:duplicates-decide      - 403 403 403 403 302 403 403 403 403 302 403 403
POST bookings:closure-delete         - 404 404 403 404 302 404 404 403 403 403 404 404
GET  bookings:what-if                - 403 403 403 403 200 403 403 200 200 403 403 403
GET  bookings:money                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-charges          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-charges-replay   - 404 200 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-charges-one      - 404 200 404 404 200 200 200 200 200 404 404 404
POST bookings:money-charges-dispute  - 404 302 404 404 403 302 302 403 403 404 404 404
POST bookings:money-charges-withdraw - 404 302 404 404 403 302 302 403 403 404 404 404
POST bookings:money-charges-reject   - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-correct  - 404 403 404 404 302 403 403 302 403 404 404 404
POST bookings:money-charges-decide   - 404 403 404 404 302 403 403 403 403 404 404 404
GET  bookings:money-sessions         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-sessions-complete - 404 200 404 404 200 403 403 403 403 404 404 404
POST bookings:money-sessions-complete - 404 302 404 404 302 403 403 403 403 404 404 404
GET  bookings:money-funding          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-funding-new      - 403 403 403 403 403 403 200 200 403 403 403 403
POST bookings:money-funding-new      - 403 403 403 403 403 403 302 400 403 403 403 403
GET  bookings:money-funding-source   - 404 200 404 404 404 200 200 404 404 404 404 404
GET  bookings:money-funding-change   - 404 403 404 404 404 403 200 404 404 404 404 404
POST bookings:money-funding-change   - 404 403 404 404 404 403 302 404 404 404 404 404
POST bookings:money-funding-suspend  - 404 403 404 404 404 403 302 404 404 404 404 404
POST bookings:money-funding-resume   - 404 403 404 404 404 403 409 404 404 404 404 404
GET  bookings:money-agreements       - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-agreements-new   - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:money-agreements-new   - 403 403 403 403 403 403 403 403 403 302 302 403
GET  bookings:money-agreements-one   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-agreements-change   - 404 404 404 404 404 404 404 404 403 200 200 404
POST bookings:money-agreements-change   - 404 404 404 404 404 404 404 404 403 302 302 404
POST bookings:money-agreements-sign   - 404 404 404 404 404 404 404 404 403 302 403 404
POST bookings:money-agreements-end   - 404 404 404 404 404 404 404 404 403 302 302 404
GET  bookings:money-vouchers         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-vouchers-programme-new   - 403 403 403 403 403 403 403 403 403 200 200 403
POST bookings:money-vouchers-programme-new   - 403 403 403 403 403 403 403 403 403 400 302 403
GET  bookings:money-vouchers-programme   - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:money-vouchers-programme   - 404 404 404 404 404 404 404 404 404 404 302 404
GET  bookings:money-vouchers-programme-change   - 404 404 404 404 404 404 404 404 404 404 200 404
POST bookings:money-vouchers-programme-change   - 404 404 404 404 404 404 404 404 404 404 302 404
POST bookings:money-vouchers-programme-suspend   - 404 404 404 404 404 404 404 404 404 404 302 404
GET  bookings:money-vouchers-grant   - 404 200 404 404 404 200 200 404 404 404 200 404
POST bookings:money-vouchers-grant-change   - 404 403 404 404 404 403 403 404 404 404 302 404
POST bookings:money-vouchers-grant-suspend   - 404 403 404 404 404 403 403 404 404 404 302 404
GET  bookings:money-statements        - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-statements-one    - 404 404 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-statements-pdf    - 404 404 404 404 200 200 200 200 200 404 404 404
GET  bookings:money-statements-csv    - 404 404 404 404 200 200 200 200 200 404 404 404
POST bookings:money-statements-pay    - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-void   - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-statements-notice - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-notices          - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-notices-match    - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-notices-refuse   - 404 404 404 404 403 403 403 302 403 404 404 404
POST bookings:money-notices-withdraw - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-payments         - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-ageing           - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-statements-rate   - 404 404 404 404 403 403 302 403 403 404 404 404
GET  bookings:money-settlements       - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:money-settlements-one   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-settlements-pdf   - 404 404 404 404 404 404 404 404 200 200 200 404
GET  bookings:money-settlements-csv   - 404 404 404 404 404 404 404 404 200 200 200 404
POST bookings:money-settlements-confirm   - 404 404 404 404 404 404 404 404 403 302 302 404
POST bookings:money-settlements-pay   - 404 404 404 404 404 404 404 404 403 302 403 404
GET  bookings:money-rates             - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:money-rates             - 403 403 403 403 403 403 302 400 403 403 403 403
GET  bookings:member-end             - 404 200 404 404 404 200 404 404 404 404 404 200
POST bookings:member-end             - 404 302 404 404 404 302 404 404 404 404 404 302
GET  bookings:person-data            - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:person-export          - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:person-close           - 302 302 302 302 302 302 302 302 302 302 302 302
GET  bookings:person-closed        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours                200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-weeks            - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-days             - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-behind           - 403 403 403 403 200 200 200 200 200 200 200 200
GET  bookings:hours-payers         200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-flows          200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-demand         200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-definitions    200 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:hours-definitions      - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:hours-download       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:hours-exports          - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:hours-export-new       - 403 403 403 403 302 302 302 302 302 302 302 302
GET  bookings:hours-export-file      - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:hours-rows             - 404 404 404 404 200 404 404 200 200 200 404 200
GET  bookings:operations             - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:operations-retry       - 403 403 403 403 403 403 403 403 403 403 403 302
POST bookings:operations-retry-all   - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:trail                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:story                  - 404 200 404 404 404 404 404 404 200 404 404 404
GET  bookings:audit                  - 403 403 403 403 403 403 403 403 200 403 403 403
GET  bookings:exceptions             - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:exceptions-decide      - 403 403 403 403 403 403 403 403 302 403 403 403
POST bookings:exceptions-run         - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:exception              - 404 404 404 404 404 404 404 404 200 404 404 404
POST bookings:exception-decide       - 404 404 404 404 404 404 404 404 302 404 404 404
POST bookings:exception-confirm      - 404 404 404 404 404 404 404 404 302 404 404 404
GET  bookings:findings               - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:findings               - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:finding                - 404 404 404 404 200 404 404 200 200 404 404 404
POST bookings:finding-reply          - 404 404 404 404 302 404 404 302 403 404 404 404
POST bookings:finding-return         - 404 404 404 404 403 404 404 403 302 404 404 404
POST bookings:finding-close          - 404 404 404 404 403 404 404 403 302 404 404 404
GET  bookings:samples                - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:samples                - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:sample                 - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:population             - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:seals                  - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:seal-now               - 403 403 403 403 403 403 403 403 302 403 403 403
POST bookings:bundle                 - 403 403 403 403 403 403 403 403 200 403 403 403
POST bookings:bundle-later           - 403 403 403 403 403 403 403 403 302 403 403 403
GET  bookings:bundle-file            - 404 404 404 404 404 404 404 404 200 404 404 404
GET  bookings:proof                  - 404 200 404 404 404 404 404 404 200 404 404 404
GET  instruments:manage              - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:drafts              - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:drafts              - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:imports            - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:imports            - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:import             - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:import-columns     - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-again       - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-apply       - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-cancel      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:import-mapping-delete   - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:harvests           - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:harvests           - 403 403 403 403 302 400 403 403 403 403 403 403
GET  instruments:harvest            - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:harvest            - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-fetch      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-pause      - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-resume     - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:harvest-delete     - 404 404 404 404 302 404 404 404 404 404 404 404
GET  instruments:export             - 404 404 404 404 200 404 404 404 404 404 404 404
GET  instruments:facilities          - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:facility-edit       - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:facility-edit       - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:facility-new        - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:facility-new        - 403 403 403 403 400 400 403 403 403 403 403 403
GET  instruments:instrument-new      - 403 200 200 200 200 200 403 403 403 403 403 403
POST instruments:instrument-new      - 403 400 400 400 400 400 403 403 403 403 403 403
GET  instruments:instrument-manage   - 403 403 200 403 200 403 403 403 403 403 403 403
GET  instruments:instrument-edit     - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:instrument-edit     - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:opening             - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:opening             - 403 403 403 403 409 403 403 403 403 403 403 403
GET  instruments:policy              - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:policy              - 403 403 403 403 400 403 403 403 403 403 403 403
GET  instruments:rate-cards          - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:rate-cards          - 403 403 403 403 400 403 403 403 403 403 403 403
POST instruments:rate-card-delete    - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:people              - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:people              - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:qualification-revoke   - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:training            - 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:course              - 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:enrol               - 403 409 302 302 302 302 302 302 403 403 403 403
POST instruments:enrol-withdraw      - 403 302 403 403 302 403 403 403 403 403 403 403
GET  instruments:courses             - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:course-new          - 403 403 403 403 200 200 403 403 403 403 403 403
POST instruments:course-new          - 403 403 403 403 302 400 403 403 403 403 403 403
GET  instruments:course-manage       - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:course-manage       - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:course-retire       - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:session-new         - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:session-new         - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:session-manage      - 403 403 200 403 200 403 403 403 403 403 403 403
POST instruments:session-manage      - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:session-cancel      - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:session-enrol       - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:enrolment-result    - 403 403 302 403 302 403 403 403 403 403 403 403
GET  instruments:qualifications      - 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:attachments         - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:attachments         - 403 403 403 403 400 403 403 403 403 403 403 403
POST instruments:attachment-change   - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:capabilities        - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:capabilities        - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:capability          - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:capability          - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:capability-remove   - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:question-ask        - 302 302 302 302 302 302 302 302 302 302 302 302
GET  instruments:questions           - 403 403 403 403 200 200 403 403 403 403 403 403
GET  instruments:question            - 404 404 404 404 200 404 404 404 404 404 404 404
POST instruments:question            - 404 404 404 404 302 404 404 404 404 404 404 404
POST instruments:attachment-delete   - 403 403 403 403 302 403 403 403 403 403 403 403
GET  instruments:file              200 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:confirm             - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:publication         - 403 403 302 403 302 403 403 403 403 403 403 403
POST accounts:language             302 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:profile                - 200 200 200 200 200 200 200 200 200 200 200 200
POST accounts:profile                - 400 400 400 400 400 400 400 400 400 400 400 400
POST accounts:token-make             - 302 302 302 302 302 302 302 302 302 302 302 302
GET  accounts:token-made             - 302 302 302 302 302 302 302 302 302 302 302 302
POST accounts:token-revoke           - 404 404 404 404 404 404 404 404 404 404 404 404
GET  robots                        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  sitemap                       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  sitemap-part                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:regions                - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:region-new             - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:region-new             - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:region                 - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:region                 - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:regions-import         - 403 403 403 403 403 403 403 403 403 403 403 200
POST bookings:regions-import         - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:organisations-all      - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:organisation-new       - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:organisation-new       - 403 403 403 403 403 403 403 403 403 400 302 302
GET  bookings:organisation           - 200 200 200 200 200 200 200 200 200 200 200 200
GET  bookings:organisation-change    - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-change    - 403 403 403 403 403 403 403 403 403 403 302 302
GET  bookings:organisation-import    - 403 403 403 403 403 403 403 403 403 200 200 200
POST bookings:organisation-import    - 403 403 403 403 403 403 403 403 403 422 302 302
GET  bookings:organisation-missing   - 200 200 200 200 200 200 200 200 200 200 200 200
POST bookings:organisation-missing   - 302 302 302 302 302 302 302 302 302 302 302 302
POST bookings:organisation-request-withdraw - 302 404 404 404 404 404 404 404 404 404 404 404
GET  bookings:organisation-requests  - 403 403 403 403 403 403 403 403 403 200 200 200
GET  bookings:organisation-request   - 403 404 404 404 404 404 404 404 404 404 200 200
POST bookings:organisation-request   - 403 404 404 404 404 404 404 404 404 404 302 302
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
GET  accounts:people                 - 403 403 403 403 302 302 403 403 200 403 403 200
GET  accounts:roles                  - 403 403 403 403 403 403 403 403 403 403 403 200
POST accounts:roles                  - 403 403 403 403 403 403 403 403 403 403 403 302
GET  accounts:organisation-move      - 403 403 403 403 403 403 403 403 403 403 200 200
POST accounts:organisation-move      - 403 403 403 403 403 403 403 403 403 403 400 302
GET  bookings:organisation-merge     - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-merge     - 403 403 403 403 403 403 403 403 403 403 403 302
GET  bookings:organisation-close     - 403 403 403 403 403 403 403 403 403 403 200 200
POST bookings:organisation-close     - 403 403 403 403 403 403 403 403 403 403 422 422
GET  accounts:members                - 403 403 403 403 403 200 403 403 403 403 403 200
GET  accounts:invite                 - 403 403 403 403 403 302 403 403 403 403 200 302
POST accounts:invite                 - 403 403 403 403 403 302 403 403 403 403 403 302
GET  bookings:people-import           - 403 403 403 403 200 200 403 403 403 200 200 200
POST bookings:people-import           - 403 403 403 403 200 200 403 403 403 200 200 200
GET  bookings:members-import          - 403 403 403 403 403 200 403 403 403 403 200 200
POST bookings:members-import          - 403 403 403 403 403 200 403 403 403 403 200 200
POST accounts:invitation-withdraw    - 403 403 403 403 403 302 403 403 403 403 403 302
POST accounts:join-decide            - 403 403 403 403 403 302 403 403 403 403 403 302
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
GET  healthz                       200 200 200 200 200 200 200 200 200 200 200 200 200
GET  metrics                       404 404 404 404 404 404 404 404 404 404 404 404 404
GET  readyz                        200 200 200 200 200 200 200 200 200 200 200 200 200
GET  readyz-web                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  components                    200 200 200 200 200 200 200 200 200 200 200 200 200
GET  mail                            - 200 200 200 200 200 200 200 200 200 200 200 200
"""

API = """
GET    api-schema                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-docs                    200 200 200 200 200 200 200 200 200 200 200 200 200
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
POST   api-organisations-import      - 403 403 403 403 403 403 403 403 403 422 200 200
POST   api-regions-import            - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisations             - 403 403 403 403 403 403 403 403 403 403 201 201
GET    api-organisation            200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-organisation              - 403 403 403 403 403 403 403 403 403 403 200 200
GET  api-messages                     - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-message                      - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH api-message                      - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-messages-read                - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-message-settings             - 200 200 200 200 200 200 200 200 200 200 200 200
PUT  api-message-settings             - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-result-package            - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-result-content            - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-result-receipts           - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-result-confirm            - 404 200 404 404 403 200 403 403 403 404 404 404
POST   api-result-keep               - 404 403 404 404 204 403 403 403 403 404 404 404
POST   api-result-keep-requests      - 404 201 404 404 403 201 403 403 403 404 404 404
POST   api-result-hold               - 404 403 404 404 204 403 403 403 204 404 404 204
DELETE api-result-hold               - 404 403 404 404 403 403 403 403 409 404 404 409
GET    api-result-links              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-result-links              - 404 201 404 404 201 201 403 403 403 404 404 404
GET    api-result-link               - 404 200 404 404 200 200 404 404 404 404 404 404
DELETE api-result-link               - 404 204 404 404 204 204 404 404 404 404 404 404
GET    api-keep-requests             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-keep-request-decide       - 404 403 404 404 200 403 403 403 403 404 404 404
GET  api-feeds                        - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-feeds                        - 201 201 201 201 201 201 201 201 201 201 201 201
DELETE api-feed                         - 404 204 404 404 404 404 404 404 404 404 404 404
GET  api-busy-calendar                - 404 200 404 404 404 404 404 404 404 404 404 404
PUT  api-busy-calendar                - 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-busy-calendar                - 404 204 404 404 404 404 404 404 404 404 404 404
GET  api-webhooks                     - 403 403 403 403 200 200 403 403 403 403 403 200
POST api-webhooks                     - 403 403 403 403 201 403 403 403 403 403 403 201
GET  api-webhook                      - 404 404 404 404 200 404 404 404 404 404 404 200
PUT  api-webhook                      - 404 404 404 404 200 404 404 404 404 404 404 200
DELETE api-webhook                      - 404 404 404 404 204 404 404 404 404 404 404 204
POST api-webhook-rotate               - 404 404 404 404 200 404 404 404 404 404 404 200
POST api-webhook-ping                 - 404 404 404 404 202 404 404 404 404 404 404 202
GET  api-webhook-deliveries           - 404 404 404 404 200 404 404 404 404 404 404 200
POST api-webhook-replay               - 404 404 404 404 202 404 404 404 404 404 404 202
GET    api-lists                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-lists                     - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-list                      - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH  api-list                      - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-list                      - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-list-entries              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-list-entries              - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-list-entry                - 404 200 404 404 404 404 404 404 404 404 404 404
PATCH  api-list-entry                - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-list-entry                - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-searches                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-searches                  - 201 201 201 201 201 201 201 201 201 201 201 201
PATCH  api-search                    - 404 200 404 404 404 404 404 404 404 404 404 404
DELETE api-search                    - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-technique               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-facets       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-organisation-joining      - 403 403 403 403 403 200 403 403 403 403 403 200
PUT    api-organisation-joining      - 403 403 403 403 403 200 403 403 403 403 403 200
GET    api-organisation-scopes       - 403 403 403 403 403 403 403 403 403 403 403 200
PUT    api-organisation-scopes       - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisation-moves        - 403 403 403 403 403 403 403 403 403 403 403 201
POST   api-organisation-move-withdraw  - 404 404 404 404 404 404 404 404 404 404 404 404
POST   api-organisation-merge        - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-organisation-close        - 403 403 403 403 403 403 403 403 403 403 422 422
GET    api-me                        - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-memberships               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-membership                - 404 200 404 404 404 200 404 404 404 404 404 200
GET    api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-membership-end            - 404 200 404 404 404 200 404 404 404 404 404 200
GET    api-roles                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-roles                     - 403 403 403 403 403 201 403 403 403 403 403 201
GET    api-role                      - 404 200 404 404 404 200 404 404 404 404 404 200
POST   api-role-revoke               - 404 200 404 404 404 200 404 404 404 404 404 200
GET    api-invitations               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-invitations               - 403 403 403 403 403 201 403 403 403 403 403 201
POST   api-people-import             - 422 422 422 422 422 201 422 422 422 422 422 201
GET    api-invitation                - 200 404 404 404 404 200 404 404 404 404 404 200
DELETE api-invitation                - 403 404 404 404 404 204 404 404 404 404 404 204
POST   api-invitation-accept         - 200 404 404 404 404 403 404 404 404 404 404 403
POST   api-invitation-accept-token   - 200 403 403 403 403 403 403 403 403 403 403 403
POST   api-own-export                - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-own-erasure               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-tokens                    - 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-token                     - 404 404 404 404 404 404 404 404 404 404 404 404
GET    api-join-requests             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-join-requests             - 409 409 201 201 201 409 409 201 201 201 201 201
GET    api-join-request              - 200 404 404 404 404 200 404 404 404 404 404 200
DELETE api-join-request              - 204 404 404 404 404 404 404 404 404 404 404 404
POST   api-join-request-approve      - 403 404 404 404 404 200 404 404 404 404 404 200
POST   api-join-request-reject       - 403 404 404 404 404 200 404 404 404 404 404 200
GET    api-techniques              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-measurands              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-measurand               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-need-terms              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-facilities              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-facilities                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-facility                200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-facility                  - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-catalogue-records       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instruments             200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instruments               - 403 403 201 403 201 403 403 403 403 403 403 403
GET    api-instrument              200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-instrument                - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-instrument-pidinst      200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-pidinst-xml   200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-instrument-provenance      - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-imports                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-imports                    - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-import                     - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-import-rows                - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-mapping             - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-again               - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-apply               - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-import-cancel              - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-import-mappings            - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-import-mappings            - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-import-mapping-one         - 404 404 404 404 200 404 404 404 404 404 404 404
DELETE api-import-mapping-one         - 404 404 404 404 204 404 404 404 404 404 404 404
GET    api-harvests                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-harvests                   - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-harvest                    - 404 404 404 404 200 404 404 404 404 404 404 404
PUT    api-harvest                    - 404 404 404 404 200 404 404 404 404 404 404 404
DELETE api-harvest                    - 404 404 404 404 204 404 404 404 404 404 404 404
POST   api-harvest-fetch              - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-harvest-pause              - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-harvest-resume             - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-harvest-fetchings          - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-exports                    - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-instrument-submit         - 404 404 200 404 200 404 404 403 403 403 404 404
POST   api-instrument-return         - 404 404 403 404 200 404 404 403 403 403 404 404
GET    api-attachments             200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-attachments               - 403 403 403 403 415 403 403 403 403 403 403 403
GET    api-attachment              200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-attachment                - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-capabilities            200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-capabilities              - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-capability              200 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-capability                - 403 403 403 403 200 403 403 403 403 403 403 403
DELETE api-capability                - 403 403 403 403 204 403 403 403 403 403 403 403
POST   api-instrument-questions      - 201 201 201 201 201 201 201 201 201 201 201 201
GET    api-questions                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-question                  - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-question-answer           - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-parameters              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-parameter               200 200 200 200 200 200 200 200 200 200 200 200 200
DELETE api-attachment                - 403 403 403 403 204 403 403 403 403 403 403 403
GET    api-duplicates                - 403 403 403 403 200 200 403 403 403 200 200 403
GET    api-duplicate-verdicts        - 403 403 403 403 200 200 403 403 403 200 200 403
POST   api-duplicate-verdicts        - 403 403 403 403 201 403 403 403 403 201 403 403
POST   api-instrument-confirm        - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-instrument-publish        - 404 404 403 404 200 404 404 403 403 403 404 404
POST   api-instrument-suspend        - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-instrument-retire         - 404 404 403 404 200 404 404 403 403 403 404 404
GET    api-opening-hours           200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-opening-hours             - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-policy                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-house-rules             200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-house-rules               - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-house-rules-versions    200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-house-rules-accept        - 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-facility-house-rules      - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-reservation-questions     - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-reservation-answers       - 404 200 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-answers-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-answer-file               - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-questionnaires          200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-questionnaires            - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-instrument-answers        - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-kept-hours                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-kept-hours                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-kept                      - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-kept-change               - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-kept-end                  - 404 403 404 404 200 403 403 403 403 404 404 404
GET    api-meters                    - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-meters                    - 403 403 403 403 201 403 403 403 403 403 403 403
POST   api-counters                  - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-meter-readings            - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-meter-readings            - 403 403 403 403 201 403 403 403 403 403 403 403
POST   api-meter-reading-correct     - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-counter-done              - 403 403 403 403 200 403 403 403 403 403 403 403
DELETE api-counter                   - 403 403 403 403 204 403 403 403 403 403 403 403
GET    api-policy-versions         200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-policy                    - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-misfits                   - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-rate-cards              200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-rate-cards                - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-rate-card               404 404 404 404 404 200 404 404 200 200 404 404 404
PUT    api-rate-card                 - 404 404 404 404 200 404 404 403 403 404 404 404
DELETE api-rate-card                 - 404 404 404 404 204 404 404 403 403 404 404 404
POST   api-what-if                   - 403 403 403 403 200 403 403 200 200 403 403 403
GET    api-what-if-version           - 403 403 403 403 200 403 403 200 200 403 403 403
GET    api-closures                200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-ratings                   - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-rating                  200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-closures                  - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-closure                 404 404 404 200 404 200 404 404 200 200 200 404 404
DELETE api-closure                   - 404 404 403 404 204 404 404 403 403 403 404 404
POST   api-closure-end               - 404 404 403 404 200 404 404 403 403 403 404 404
GET    api-qualifications            - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-qualifications            - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-qualification             - 404 200 404 404 200 404 404 404 200 404 404 404
POST   api-qualification-revoke      - 404 403 404 404 200 404 404 404 403 404 404 404
GET    api-courses                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-courses                   - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-course                    - 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-course                    - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-course-retire             - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-course-sessions           - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-course-sessions           - 403 403 403 403 201 403 403 403 403 403 403 403
GET    api-course-session            - 200 200 200 200 200 200 200 200 200 200 200 200
PATCH  api-course-session            - 403 403 403 403 200 403 403 403 403 403 403 403
POST   api-course-session-cancel     - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-enrolments                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-enrolments                - 403 409 201 201 201 201 201 201 403 403 403 403
GET    api-enrolment                 - 404 200 404 404 200 404 404 404 200 404 404 404
POST   api-enrolment-withdraw        - 404 200 404 404 200 404 404 404 403 404 404 404
POST   api-enrolment-result          - 404 403 200 404 200 404 404 404 403 404 404 404
GET    api-availability            200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-quotes                  200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-reservations              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-reservations              - 400 201 201 201 403 403 403 403 400 400 400 400
POST   api-reservations-import       - 400 201 201 201 422 422 403 403 400 400 400 400
GET    api-reservation               - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-reservation-cancel        - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-holds                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-holds                     - 400 201 201 201 403 403 403 403 400 400 400 400
DELETE api-hold                      - 404 204 404 404 404 404 404 404 404 404 404 404
GET    api-reservation-move          - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-reservation-move          - 404 200 404 404 200 200 403 403 403 404 404 404
POST   api-reservation-approve       - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-reject        - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-check-in      - 404 200 404 404 200 403 403 403 403 404 404 404
POST   api-reservation-check-in-code - 404 200 404 404 404 403 403 403 403 404 404 404
GET    api-instrument-faults         - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-instrument-faults         - 403 201 201 201 201 201 403 403 403 403 403 403
GET    api-faults                    - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-alarms                    - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-alarm                     - 404 404 404 404 200 404 404 404 200 200 404 404
POST   api-alarm-answer              - 404 404 404 404 200 404 404 404 403 403 404 404
GET    api-alarm-thresholds          - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-alarm-thresholds          - 403 403 403 403 403 403 403 403 403 201 403 201
GET    api-fault                     - 404 200 404 404 200 404 404 200 200 404 404 404
POST   api-fault-confirm             - 404 403 404 404 200 404 404 403 403 404 404 404
POST   api-fault-dismiss             - 404 403 404 404 200 404 404 403 403 404 404 404
GET    api-kiosks                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-kiosks                    - 403 403 403 403 201 403 403 403 403 403 403 201
GET    api-kiosk                     - 404 404 404 404 200 404 404 404 404 404 404 200
POST   api-kiosk-revoke              - 404 404 404 404 200 404 404 404 404 404 404 200
POST   api-reservation-check-out     - 404 409 404 404 409 403 403 403 403 404 404 404
POST   api-reservation-rate          - 404 409 404 404 409 403 403 403 403 404 404 404
POST   api-reservation-answer-rating - 404 409 404 404 409 403 403 403 403 404 404 404
GET    api-reservation-rating        - 404 404 404 404 404 404 404 404 404 404 404 404
GET    api-reservation-cancellation   - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-results                   - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-results                   - 404 403 404 404 201 403 403 403 403 404 404 404
GET    api-result                    - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-result-files              - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-result-seal               - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-release            - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-point              - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-result-withdraw           - 404 403 404 404 200 403 403 403 403 404 404 404
GET    api-result-terms            200 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-result-terms              - 403 403 403 403 200 403 403 403 403 403 403 403
GET    api-result-storages           - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-result-storage            - 404 404 404 404 404 200 404 404 404 404 404 200
PATCH  api-result-storage            - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-uploads                   - 400 400 400 400 400 400 400 400 400 400 400 400
HEAD   api-upload                    - 404 403 404 404 200 403 403 403 403 404 404 404
PATCH  api-upload                    - 404 403 404 404 415 403 403 403 403 404 404 404
DELETE api-upload                    - 404 403 404 404 204 403 403 403 403 404 404 404
GET    api-reservation-conversation   - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation   - 404 201 404 404 201 201 201 201 404 404 404 404
POST   api-reservation-conversation-resolve     - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation-reopen      - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-reservation-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
POST   api-reservation-proposals     - 404 201 404 404 201 201 403 403 404 404 404 404
GET    api-proposal                  - 404 200 404 404 200 200 200 200 404 404 404 404
GET    api-proposal-move             - 404 200 404 404 200 200 200 200 404 404 404 404
POST   api-proposal-accept           - 404 200 404 404 403 200 403 403 404 404 404 404
POST   api-proposal-decline          - 404 200 404 404 403 200 403 403 404 404 404 404
POST   api-comment-withdraw          - 404 200 404 404 403 403 403 403 404 404 404 404
GET    api-comment-file              - 404 200 404 404 200 200 200 200 404 404 404 404
GET    api-need-conversation         - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation         - 404 201 404 404 404 201 404 404 404 404 404 404
POST   api-need-conversation-resolve - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation-reopen  - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET  api-enquiries                  - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-enquiries                  - 404 201 404 404 404 404 404 404 404 404 404 404
GET  api-enquiry                    - 404 200 404 404 404 200 404 404 404 404 404 404
POST api-enquiry-accept             - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-enquiry-close              - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-enquiry-withdraw           - 404 200 404 404 404 404 404 404 404 404 404 404
GET  api-batches                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-batches                    - 403 403 403 403 403 403 403 403 403 403 201 403
GET  api-batch                      - 404 404 404 404 404 404 404 404 404 404 200 404
GET  api-batch-places               - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-batch-place                - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-batch-place-accept         - 404 200 404 404 404 404 404 404 404 404 404 404
POST api-batch-place-give-back      - 404 200 404 404 404 404 404 404 404 404 404 404
GET  api-open-enquiries             - 200 200 200 200 200 200 200 200 200 200 200 200
GET  api-open-enquiry               - 404 404 404 404 200 404 404 404 404 404 404 404
GET  api-bids                       - 200 200 200 200 200 200 200 200 200 200 200 200
POST api-bids                       - 404 404 404 404 409 404 404 404 404 404 404 404
GET  api-bid                        - 404 200 404 404 200 200 404 404 404 404 404 404
PUT  api-bid                        - 404 404 404 404 200 404 404 404 404 404 404 404
POST api-bid-withdraw               - 404 404 404 404 200 404 404 404 404 404 404 404
POST api-bid-decline                - 404 200 404 404 404 404 404 404 404 404 404 404
GET  api-clusters                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-needs                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-needs                     - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-need                      - 404 200 404 404 404 200 404 404 404 404 404 404
PUT    api-need                      - 404 200 404 404 404 404 404 404 404 404 404 404
POST   api-need-withdraw             - 404 200 404 404 404 404 404 404 404 404 404 404
POST   api-need-share                - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-unshare              - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-need-open                 - 404 404 404 404 404 404 404 404 404 404 404 200
GET    api-review-schemes              200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-review-scheme               200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-purchase-cases              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-purchase-cases              - 400 201 400 400 400 201 403 403 400 400 400 400
GET    api-purchase-case               - 404 200 404 404 404 200 404 404 404 404 404 404
PUT    api-purchase-case               - 404 200 404 404 404 200 404 404 404 404 404 404
GET    api-purchase-case-comparison    - 200 200 404 404 404 200 404 404 404 404 200 200
POST   api-purchase-case-check         - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-reopen        - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-submit        - 404 403 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-withdraw      - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-purchase-case-hosts         - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-experts       - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-review        - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-decide        - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-purchase-case-appeal        - 403 403 404 404 404 200 404 404 404 404 403 403
POST   api-purchase-case-ordered       - 403 403 404 404 404 200 404 404 404 404 403 403
POST   api-purchase-case-in-service    - 403 403 404 404 404 409 404 404 404 404 403 403
GET    api-host-pledges                - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-host-pledge                 - 404 404 404 404 200 404 404 404 404 404 404 404
POST   api-host-pledge-answer          - 404 404 404 404 200 404 404 404 404 404 404 404
GET    api-case-opinions               - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-case-opinion                - 200 404 404 404 404 404 404 404 404 404 404 404
POST   api-case-opinion-declare        - 409 404 404 404 404 404 404 404 404 404 404 404
POST   api-case-opinion-give           - 200 404 404 404 404 404 404 404 404 404 404 404
GET    api-samples                     - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-samples                     - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-sample                      - 404 200 404 404 200 200 404 404 404 404 404 404
PUT    api-sample                      - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-sample-steps                - 404 200 404 404 409 200 404 404 404 404 404 404
POST   api-sample-join                 - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-sample-leave                - 404 200 404 404 404 200 404 404 404 404 404 404
POST   api-samples-steps               - 404 409 404 404 200 409 404 404 404 404 404 404
GET    api-sample-conversation         - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation         - 404 201 404 404 201 201 404 404 404 404 404 404
POST   api-sample-conversation-resolve - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation-reopen  - 404 200 404 404 200 200 404 404 404 404 404 404
POST   api-sample-conversation-attachments - 415 415 415 415 415 415 415 415 415 415 415 415
GET    api-sample-labels               - 404 200 404 404 200 200 404 404 404 404 404 404
GET    api-planning-map             - 403 403 403 403 403 403 403 403 200 200 200 200
GET    api-purchase-case-pdf        - 200 200 404 404 404 200 404 404 404 404 200 200
GET    api-review-register-decision 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-review-register-decision-figures 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-review-register        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-planned-purchases        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-planned-purchases        - 403 403 403 403 201 403 403 403 403 201 403 403
GET    api-planned-purchase         - 404 404 404 404 200 200 200 200 200 200 200 200
PUT    api-planned-purchase         - 404 404 404 404 200 403 403 403 403 200 403 403
POST   api-planned-purchase-drop    - 404 404 404 404 200 403 403 403 403 200 403 403
POST   api-planned-purchase-case    - 404 404 404 404 400 403 403 403 403 400 403 403
GET    api-need-matches              - 404 200 404 404 404 200 404 404 404 404 404 404
GET    api-waiting-list              - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-waiting-list              - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-waiting-wish              - 404 200 404 404 200 404 404 404 404 404 404 404
DELETE api-waiting-wish              - 404 204 404 404 403 404 404 404 404 404 404 404
POST   api-series                    - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-series-one                - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-series-cancel             - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-series-cancel             - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-series-move               - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-series-move               - 404 200 404 404 200 200 403 403 403 404 404 404
POST   api-chains                    - 400 201 201 201 403 403 403 403 400 400 400 400
GET    api-chain                     - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-chain-cancel              - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-chain-cancel              - 404 200 404 404 200 200 403 403 403 404 404 404
GET    api-charges                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-agreements                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-agreements                - 403 403 403 403 403 403 403 403 403 201 201 403
GET    api-agreement                 - 404 404 404 404 404 404 404 404 200 200 200 404
PATCH  api-agreement                 - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-agreement-sign            - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-agreement-end             - 404 404 404 404 404 404 404 404 403 200 200 404
GET    api-programmes                - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-programmes                - 403 403 403 403 403 403 403 403 403 403 201 403
GET    api-programme                 - 404 404 404 404 404 404 404 404 404 404 200 404
PATCH  api-programme                 - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-programme-suspend         - 404 404 404 404 404 404 404 404 404 404 200 404
POST   api-programme-resume          - 404 404 404 404 404 404 404 404 404 404 409 404
GET    api-grants                    - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-grants                    - 400 400 400 400 400 400 400 400 400 400 201 400
GET    api-grant                     - 404 200 404 404 404 200 200 404 404 404 200 404
PATCH  api-grant                     - 404 403 404 404 404 403 403 404 404 404 200 404
POST   api-grant-suspend             - 404 403 404 404 404 403 403 404 404 404 200 404
POST   api-grant-resume              - 404 403 404 404 404 403 403 404 404 404 409 404
GET    api-grant-uses                - 404 200 404 404 404 200 200 404 404 404 200 404
GET    api-charge-replay             - 404 200 404 404 200 200 200 200 200 404 404 404
GET    api-charge                    - 404 200 404 404 200 200 200 200 200 404 404 404
POST   api-charge-dispute            - 404 200 404 404 403 200 200 403 403 404 404 404
POST   api-charge-withdraw           - 404 200 404 404 403 200 200 403 403 404 404 404
POST   api-charge-settle             - 404 403 404 404 200 403 403 200 403 404 404 404
POST   api-charge-corrections        - 404 403 404 404 201 403 403 201 403 404 404 404
POST   api-correction-agree          - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-correction-refuse         - 404 403 404 404 200 403 403 403 403 404 404 404
POST   api-correction-withdraw       - 404 403 404 404 403 403 403 200 403 404 404 404
GET    api-sessions-to-complete      - 200 200 200 200 200 200 200 200 200 200 200 200
PUT    api-reservation-usage         - 404 200 404 404 200 403 403 403 403 404 404 404
GET    api-funding-sources           - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-funding-sources           - 403 403 403 403 403 403 201 403 403 403 403 403
GET    api-funding-source            - 404 200 404 404 404 200 200 404 404 404 404 404
PATCH  api-funding-source            - 404 403 404 404 404 403 200 404 404 404 404 404
POST   api-funding-source-suspend    - 404 403 404 404 404 403 200 404 404 404 404 404
POST   api-funding-source-resume     - 404 403 404 404 404 403 409 404 404 404 404 404
GET    api-funding-source-entries    - 404 200 404 404 404 200 200 404 404 404 404 404
GET    api-spending                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statements                   - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statement                    - 404 404 404 404 200 200 200 200 200 404 404 404
GET    api-statement-pdf                - 404 404 404 404 200 200 200 200 200 404 404 404
GET    api-statement-csv                - 404 404 404 404 200 200 200 200 200 404 404 404
POST   api-statement-void               - 404 404 404 404 403 403 403 201 403 404 404 404
POST   api-statement-payments           - 404 404 404 404 403 403 403 201 403 404 404 404
GET    api-statement-notices            - 404 404 404 404 200 200 200 200 200 404 404 404
POST   api-statement-notices            - 404 404 404 404 403 403 201 403 403 404 404 404
GET    api-payment-notices              - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-payment-notice               - 404 404 404 404 200 200 200 200 200 404 404 404
POST   api-payment-notice-match         - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-payment-notice-refuse        - 404 404 404 404 403 403 403 200 403 404 404 404
POST   api-payment-notice-withdraw      - 404 404 404 404 403 403 200 403 403 404 404 404
GET    api-payments                     - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-payments-csv                 - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-ageing                       - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statement-exchange-rate      - 404 404 404 404 403 403 200 403 403 404 404 404
GET    api-settlements                  - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-settlement                   - 404 404 404 404 404 404 404 404 200 200 200 404
GET    api-settlement-pdf               - 404 404 404 404 404 404 404 404 200 200 200 404
GET    api-settlement-csv               - 404 404 404 404 404 404 404 404 200 200 200 404
POST   api-settlement-confirm           - 404 404 404 404 404 404 404 404 403 200 200 404
POST   api-settlement-payments          - 404 404 404 404 404 404 404 404 403 201 403 404
GET    api-exchange-rates               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-exchange-rates               - 403 403 403 403 403 403 201 201 403 403 403 403
GET    api-operations                - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-operations-failures       - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-failures       - 403 403 403 403 403 403 403 403 403 403 403 200
POST   api-operations-retry          - 403 403 403 403 403 403 403 403 403 403 403 200
GET    api-statistics-hours        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-payers       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-bookings     200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-demand       200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-flows        200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-concentration 200 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-statistics-norms        200 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statistics-norms          - 403 403 403 403 403 403 403 403 403 403 403 201
GET    api-statistics-exports        - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-statistics-exports        - 403 403 403 403 202 202 202 202 202 202 202 202
GET    api-statistics-export         - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-statistics-export-file    - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-trail-entries             - 200 200 200 200 200 200 200 200 200 200 200 200
GET    api-audit-exceptions          - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-exceptions-decide   - 403 403 403 403 403 403 403 403 200 403 403 403
GET    api-audit-exception           - 404 404 404 404 404 404 404 404 200 404 404 404
PATCH  api-audit-exception           - 404 404 404 404 404 404 404 404 200 404 404 404
POST   api-audit-runs                - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-samples             - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-samples             - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-sample              - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-audit-sample-population   - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-audit-findings            - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-audit-findings            - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-audit-finding             - 404 404 404 404 200 404 404 200 200 404 404 404
POST   api-audit-finding-reply       - 404 404 404 404 200 404 404 200 403 404 404 404
POST   api-audit-finding-return      - 404 404 404 404 403 404 404 403 200 404 404 404
POST   api-audit-finding-close       - 404 404 404 404 403 404 404 403 200 404 404 404
GET    api-trail-seals               - 200 200 200 200 200 200 200 200 200 200 200 200
POST   api-trail-seals               - 403 403 403 403 403 403 403 403 201 403 403 403
GET    api-trail-proof               - 404 200 404 404 404 404 404 404 200 404 404 404
POST   api-trail-bundles             - 403 403 403 403 403 403 403 403 202 403 403 403
GET    api-trail-bundle-one          - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-trail-bundle-file         - 404 404 404 404 404 404 404 404 200 404 404 404
GET    api-trail-bundle              - 403 403 403 403 403 403 403 403 200 403 403 403
GET    api-unknown                 404 404 404 404 404 404 404 404 404 404 404 404 404
"""

# What follows the address: `<word>` is the id of a thing of the test's world.
QUERIES = {
    "accounts:saved-views": "?page=/money/charges/",
    "api-need-terms": "?text=grain",
    "bookings:planning-cell": "?technique=PaNET01198&region=CN-AH",
    "bookings:sample-labels": "?layout=sheet&sample=<sample-item>",
    "api-sample-labels": "?samples=<sample-item>",
    "instruments:export": "?organisation=ustc&format=uniquip",
    "api-exports": "?organisation=ustc&format=uniquip",
    "bookings:book": "?start=2026-03-06T06:00:00Z&minutes=60",
    "bookings:compare-choose": "?id=<instrument>",
    "bookings:compare": "?id=<instrument>&id=<asks-first>",
    "bookings:palette": "?q=microscope",
    "bookings:kiosks": "?facility=<facility>",
    "bookings:choose": "?start=2026-03-06T06:00:00Z&minutes=60",
    "bookings:quote": "?start=2026-03-06T06:00:00Z&minutes=60&service_mode=self&purpose=research",
    "api-reservation-move": "?start=2026-03-06T06:00:00Z&end=2026-03-06T07:00:00Z",
    "api-availability": "?from=2026-03-06T00:00:00Z&until=2026-03-07T00:00:00Z&minutes=60",
    "api-statistics-hours": "?from=2026-03-01&until=2026-04-01&by=region",
    "api-statistics-payers": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-bookings": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-demand": "?from=2026-03-01&until=2026-04-01",
    "api-statistics-flows": "?from=2026-03-01&until=2026-04-01",
    "bookings:board-events": "?start=2026-03-02&end=2026-03-09",
    "bookings:series-new": "?start=2026-03-06T06:00:00Z&minutes=60",
    "api-series-cancel": "?scope=all",
    "api-series-move": "?scope=all&reservation=<occurrence>&start=2026-03-12T10:00:00Z"
    "&end=2026-03-12T11:00:00Z",
    "bookings:chain-new": "?instrument=<instrument>&instrument=<asks-first>&find=1",
    "bookings:hours-export-new": "?table=days&since=2026-03-01&until=2026-04-01",
    "bookings:hours-rows": "?instrument=<instrument>&since=2026-03-04",
}

# instrument,starts,ends / Transmission electron microscope,2026-03-06 14:00,2026-03-06 15:00
PEOPLE_FILE = "ZW1haWwKbmV3QG5vd2hlcmUuZXhhbXBsZQo="  # email, new@nowhere.example
FILE = (
    "aW5zdHJ1bWVudCxzdGFydHMsZW5kcwpUcmFuc21pc3Npb24gZWxlY3Ryb24gbWljcm9zY29wZSwyMDI2LTAzLTA2IDE0"
    "OjAwLDIwMjYtMDMtMDYgMTU6MDAK"
)

# code,name,kind,region / third,Third,university,CN-SH
ORGANISATIONS_FILE = "Y29kZSxuYW1lLGtpbmQscmVnaW9uCnRoaXJkLFRoaXJkLHVuaXZlcnNpdHksQ04tU0gK"
MISSING = {"name": "Another University", "kind": "university"}
SAMPLE = {
    "subject": "reservations",
    "method": "random",
    "since": "2026-03-01",
    "until": "2026-04-01",
    "size": 2,
}
FINDING = {"severity": "low", "title": "Test", "text": "Test", "organisation": "ustc"}

SOURCE = {
    "organisation": "fudan",
    "code": "NEW-1",
    "name": "New",
    "owner": "wang@fudan.example",
    "currency": "CNY",
    "valid_from": "2026-03-05",
}

AGREEMENT = {
    "name": "Anhui and Shanghai",
    "code": "two",
    "regions": ["<anhui>", "<shanghai>"],
    "valid_from": "2027-01-01",
    "discount_percent": "5",
}
PROGRAMME = {
    "name": "Vouchers",
    "code": "two",
    "percent": "40",
    "currency": "CNY",
    "valid_from": "2026-01-01",
}
PAYMENT = {"amount": "10.00", "paid_on": "2026-03-04", "reference": "Bank 1"}
RATE = {
    "base": "GBP",
    "quote": "CNY",
    "rate": "9.2",
    "valid_on": "2026-03-01",
    "source": "Bank of China",
}

NOTICE = {"amount": "0.50", "paid_on": "2026-03-01", "reference": "T 2"}
COURSE_SESSION = {
    "facility": "<facility>",
    "start": "2026-03-16T09:00",
    "end": "2026-03-16T12:00",
    "places": "3",
}
HARVEST_AT = {"rhythm": "daily", "hour": "3", "encoding": "utf-8", "hand_changes": "keep"}
HARVEST = {"name": "Register", "address": "https://x.example/list.csv", "format": "table"}

PAGE_BODIES = {
    "bookings:conversation-write": {"text": "Is the holder there?"},
    "bookings:conversation-propose": {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00"},
    "bookings:proposal-answer": {"act": "accept"},
    "accounts:organisation-move": {
        "act": "decide",
        "region": "<anhui>",
        "starts_on": "2026-04-01",
        "code": "fudan",
    },
    "bookings:organisation-merge": {"into": "optics", "code": "fudan"},
    "bookings:organisation-close": {"code": "fudan"},
    "bookings:exception-decide": {"state": "review"},
    "bookings:exceptions-decide": {"state": "review", "chosen": ["<exception>:1"]},
    "bookings:exception-confirm": {"severity": "low", "title": "Test", "text": "Test"},
    "bookings:findings": FINDING,
    "bookings:alarm": {"reason": "repair", "due_date": "2026-05-01"},
    "bookings:alarm-thresholds": THRESHOLD,
    "bookings:rate": {"rating": "4"},
    "bookings:rating-answer": {"answer": "test"},
    "bookings:finding-reply": {"reply": "test"},
    "bookings:finding-return": {"note": "test"},
    "bookings:finding-close": {"evidence": "test"},
    "bookings:samples": SAMPLE,
    "instruments:harvests": HARVEST | HARVEST_AT | {"organisation": "<ustc>"},
    "instruments:harvest": HARVEST | HARVEST_AT | {"organisation": "<ustc>"},
    "bookings:money-statements-pay": PAYMENT | {"act": "paid"},
    "bookings:money-statements-void": {"reason": "test"},
    "bookings:money-statements-notice": NOTICE,
    "bookings:money-notices-refuse": {"reason": "test"},
    "bookings:money-statements-rate": {"rate": "<rate>"},
    "bookings:money-settlements-confirm": {},
    "bookings:money-settlements-pay": PAYMENT | {"act": "paid"},
    "bookings:money-rates": RATE | {"organisation": "fudan"},
    "bookings:book": {
        "start": "2026-03-06T06:00:00Z",
        "minutes": "60",
        "service_mode": "self",
        "purpose": "research",
    },
    "bookings:review-new": CASE | {"organisation": "fudan", "upkeep_percent": "6"},
    "bookings:review-change": CASE | {"organisation": "fudan", "upkeep_percent": "6"},
    "bookings:review-act": {"act": "check"},
    "bookings:review-experts": {"person": "hu@optics.example"},
    "bookings:review-decide": DECISION,
    "bookings:review-appeal": {"reason": "We disagree."},
    "bookings:review-service": {"instrument": "<instrument>", "in_service_on": "2026-03-01"},
    "bookings:review-pledge": {"answer": "denial", "reason": "other"},
    "bookings:review-opinion": {"advice": "share", "text": "As before."},
    "bookings:sample-new": SAMPLE_ITEM,
    "bookings:sample-change": SAMPLE_ITEM,
    "bookings:sample-steps": {"state": "received", "sample": ["<sample-item>"]},
    "bookings:sample-labels": {"layout": "roll", "sample": ["<sample-item>"]},
    "bookings:sample-step": {"state": "shipped"},
    "bookings:sample-join": {"booking": "<reservation>"},
    "bookings:sample-join-many": {"sample": ["<sample-item>"]},
    "bookings:need-new": NEED_FORM,
    "bookings:plan-new": PLAN | {"organisation": "ustc"},
    "bookings:plan-change": PLAN,
    "bookings:plan-drop": {"reason": "test"},
    "bookings:plan-case": {"case": "<absent>"},
    "bookings:result-point": {"protocol": "sftp", "host": "data.example", "path": "/runs/1"},
    "bookings:result-withdraw": {"reason": "test"},
    "bookings:result-terms": {"due_days": "7", "keep_days": "30", "modes": "entrusted"},
    "bookings:result-storage-change": {"quota": "10"},
    "bookings:need-change": NEED_FORM,
    "bookings:batch-new": {
        "region": "CN-SH",
        "starts_at": "2026-03-06T08:00",
        "ends_at": "2026-03-20T20:00",
    },
    "bookings:enquiry-new": {"closes_at": "2026-03-12T08:00"},
    "bookings:enquiry-accept": {"slot": "<slot>"},
    "bookings:enquiry-close": {"reason": "price"},
    "bookings:enquiry-answer": {
        "instrument": "<instrument>",
        "starts": "2026-03-24T05:00:00+00:00",
        "service_mode": "assisted",
    },
    "bookings:bid-amend": {
        "instrument": "<instrument>",
        "starts": "2026-03-24T05:00:00+00:00",
        "service_mode": "assisted",
    },
    "bookings:need-share": {"person": "sun@ustc.example"},
    "bookings:need-correct": {"act": "add", "code": "grain-size"},
    "bookings:waiting-new": {
        "earliest": "2026-03-06T08:00",
        "latest": "2026-03-07T08:00",
        "minutes": "60",
        "service_mode": "self",
    },
    "bookings:people-import": {"content": PEOPLE_FILE, "act": "preview"},
    "bookings:members-import": {"content": PEOPLE_FILE, "act": "preview"},
    "bookings:import": {"content": FILE, "act": "refuse"},
    "bookings:hold": {"start": "2026-03-06T06:00:00Z", "minutes": "60"},
    "bookings:release": {"hold": "00000000-0000-0000-0000-000000000000"},
    "bookings:cancel": {"reason": "test"},
    "bookings:series-new": {
        "start": "2026-03-06T06:00:00Z",
        "minutes": "60",
        "service_mode": "self",
        "purpose": "research",
        "frequency": "DAILY",
        "every": "3",
        "ends": "times",
        "times": "2",
        "act": "refuse",
    },
    "bookings:chain-new": {
        "instrument": ["<instrument>", "<asks-first>"],
        "earliest": "2026-03-12T00:00",
        "latest": "2026-03-13T00:00",
    },
    "bookings:chain-cancel": {"reason": "test"},
    "bookings:series-cancel": {"scope": "all", "reason": "test"},
    "bookings:series-move": {
        "scope": "all",
        "start": "2026-03-11T13:00",
        "end": "2026-03-11T14:00",
        "act": "move",
    },
    "bookings:move": {"start": "2026-03-06T14:00", "end": "2026-03-06T16:00", "reason": "test"},
    "bookings:board-close": {
        "kind": "maintenance",
        "start": "2026-03-10T10:00",
        "end": "2026-03-10T12:00",
        "reason": "",
    },
    "bookings:decide-many": {"approve": "1", "reason": "", "chosen": ["<request>:1"]},
    "bookings:decide": {"approve": "1", "reason": "", "version": "1"},
    "bookings:money-charges-dispute": {"reason": "test"},
    "bookings:money-charges-reject": {"reason": "test"},
    "bookings:money-charges-correct": {"waive_percent": "50", "reason": "test"},
    "bookings:money-charges-decide": {"act": "agree"},
    "bookings:money-sessions-complete": {
        "check_in": "2026-03-04T14:00",
        "check_out": "2026-03-04T15:00",
    },
    "bookings:money-funding-new": SOURCE,
    "bookings:money-funding-change": SOURCE,
    "bookings:money-funding-suspend": {"reason": "test"},
    "bookings:money-funding-resume": {"reason": "test"},
    "bookings:fault-new": {"severity": "usable", "text": "The stage drifts."},
    "bookings:fault": {"note": "1", "reason": ""},
    "bookings:fault-dismiss": {"reason": "test"},
    "bookings:kiosks": {"name": "Room 214", "instrument": ["<instrument>"]},
    "bookings:kiosk-enrol": {"code": "<kiosk-code>"},
    "bookings:kiosk-check-in": {"code": "123456"},
    "bookings:closures": {
        "kind": "maintenance",
        "start": "2026-03-10T10:00",
        "end": "2026-03-10T12:00",
        "reason": "",
    },
    "bookings:money-agreements-new": AGREEMENT,
    "bookings:money-agreements-change": AGREEMENT,
    "bookings:money-agreements-sign": {"region": "<anhui>"},
    "bookings:hours-definitions": {
        "scheme": "nrii",
        "kind": "general",
        "hours": "1500",
        "valid_from": "2100-01-01",
    },
    "bookings:money-vouchers-programme-new": PROGRAMME | {"region": "<shanghai>"},
    "bookings:money-vouchers-programme-change": PROGRAMME | {"code": "sh-vouchers"},
    "bookings:money-vouchers-programme": {
        "organisation": "<fudan>",
        "amount": "10",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
    "bookings:money-vouchers-programme-suspend": {"act": "suspend"},
    "bookings:money-vouchers-grant-change": {
        "amount": "2000",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
    "bookings:money-vouchers-grant-suspend": {"act": "suspend"},
    "bookings:webhooks": {
        "organisation": "<ustc>",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    },
    "bookings:webhook": {
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
        "is_active": "on",
    },
    "bookings:busy-calendar": {"act": "set", "address": "https://calendar.example/me.ics"},
    "accounts:saved-views": {"page": "/money/charges/", "name": "mine"},
    "accounts:message": {"act": "open"},
    "accounts:message-settings": {
        **{f"mail-{name}": "at-once" for name, rule in TOPICS.items() if not rule.is_required},
        "mail-reminder": "daily",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
    },
    "bookings:compare-choose": {"act": "add"},
    "bookings:lists": {"name": "Another"},
    "bookings:list": {"name": "Renamed"},
    "bookings:list-entry": {"note": "Ask for Zhao"},
    "bookings:keep": {"act": "add"},
    "bookings:searches": {"name": "mine", "q": "microscope"},
    "bookings:operations-retry-all": {"name": "final charges"},
    "bookings:search-change": {"act": "pause"},
    "instruments:import-again": {"header_row": "1"},
    "instruments:import-columns": {"name": "Lab", "key": "0", "column-1": "name"},
    "instruments:people": {
        "user": "hu@optics.example",
        "thing": "instrument",
        "valid_from": "2026-03-05",
    },
    "instruments:qualification-revoke": {"reason": "test"},
    "instruments:course-new": {"thing": "<instrument>", "name": "test", "places": "3"},
    "instruments:course-manage": {"name": "test", "places": "3"},
    "instruments:session-new": COURSE_SESSION,
    "instruments:session-manage": COURSE_SESSION,
    "instruments:session-cancel": {"reason": "test"},
    "instruments:session-enrol": {"user": "hu@optics.example"},
    "instruments:enrolment-result": {"result": "absent"},
    "bookings:result-link": {"label": "Li", "days": "3"},
    "bookings:result-confirm": {"manifest_digest": "<manifest>"},
    "bookings:result-keep": {"days": "30"},
    "bookings:result-keep-answer": {"act": "grant"},
    "bookings:result-hold": {"reason": "dispute"},
    "bookings:duplicates-decide": {
        "first": "<instrument>",
        "second": "<asks-first>",
        "act": "apart",
        "note": "test",
    },
    "instruments:attachment-change": {"title": "test"},
    "instruments:capabilities": {"parameter": "magnification", "maximum": "100000"},
    "instruments:capability": {"maximum": "20", "unit": "kV"},
    "instruments:question": {"minimum": "2"},
    "instruments:question-ask": {"parameter": "spatial_resolution"},
    "instruments:house-rules": {"house_rules": "1"},
    "instruments:house-rules-edit": {"version": "1", "text": "test"},
    "instruments:facility-house-rules": {"text": "test"},
    "bookings:questions": {"answer_clean": "yes"},
    "bookings:questionnaires": {"rows": "1", "row_0_label": "test", "row_0_kind": "text"},
    "bookings:kept-hours-manage": {
        "organisation": "fudan",
        "hours": "1",
        "first_day": "2026-07-06",
        "last_day": "2026-07-10",
        "released_hours": "0",
        "reason": "test",
    },
    "bookings:kept-hours-change": {"hours": "2", "reason": "test"},
    "bookings:kept-hours-end": {"reason": "test"},
    "bookings:meters": {"name": "test", "is_monotone": "on"},
    "bookings:counters": {
        "name": "test",
        "limit": "500",
        "warn_percent": "90",
        "action": "warn",
    },
    "bookings:meter": {"value": "5"},
    "bookings:reading": {"value": "5", "reason": "test"},
    "bookings:counter-done": {"note": "test"},
    "instruments:publication": {"act": "submit", "version": "", "reason": ""},
    "accounts:language": {"language": "en", "next": "/"},
    "instruments:measurand": {
        "version": "1",
        "name": "Grain size",
        "name_zh": "晶粒尺寸",
        "techniques": "PaNET01198",
    },
    "instruments:measurand-new": {
        "version": "0",
        "code": "texture",
        "name": "Texture",
        "name_zh": "织构",
        "techniques": "PaNET01198",
    },
    "accounts:installation": {
        "name": "Test",
        "languages": ["en", "zh-hans"],
        "usual": "en",
        "version": "0",
    },
    "accounts:second-ask": {"code": "no-second-accountant", "organisation": "<fudan>"},
    "accounts:join": {"text": "test"},
    "accounts:invite": {"email": "new@nowhere.example", "roles": ["researcher"], "days": "14"},
    "accounts:join-decide": {"act": "approve", "roles": ["researcher"], "reason": ""},
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
    "bookings:organisation-missing": MISSING | {"region": "<anhui>"},
    "bookings:organisation-request": {"act": "reject", "reason": "It is a part of Fudan."},
    "bookings:region-new": {
        "act": "own",
        "scheme": "Ours",
        "code": "EAST",
        "name": "East",
        "time_zone": "UTC",
        "currency": "CNY",
    },
    "bookings:region": {
        "code": "CN-AH",
        "name": "Another name",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "shares": "on",
    },
    "bookings:regions-import": {"act": "import", "content": "Y29kZQpDTi1KUwo="},
    "bookings:organisation-new": {
        "code": "third",
        "name": "Third University",
        "kind": "university",
        "region": "<shanghai>",
    },
    "bookings:organisation-change": {
        "code": "fudan",
        "name": "Another name",
        "kind": "university",
    },
    "bookings:organisation-import": {"act": "import", "content": ORGANISATIONS_FILE},
    "accounts:roles": {"user": "hu@optics.example", "role": "auditor", "region": "CN-SH"},
    "bookings:member-end": {"bookings": "keep", "reason": "test"},
}

RESERVATION = {
    "instrument": "<instrument>",
    "start": "2026-03-06T06:00:00Z",
    "end": "2026-03-06T07:00:00Z",
    "service_mode": "self",
    "purpose": {"code": "research", "text": ""},
}
API_BODIES = {
    ("POST", "api-reservation-conversation"): {"text": "Is the holder there?"},
    ("POST", "api-need-conversation"): {"text": "Which steel?"},
    ("POST", "api-sample-conversation"): {"text": "Was it lost?"},
    ("POST", "api-reservation-proposals"): {
        "start": "2026-03-06T14:00:00+08:00",
        "end": "2026-03-06T16:00:00+08:00",
    },
    ("POST", "api-harvests"): HARVEST | {"organisation": "ustc"},
    ("PUT", "api-harvest"): HARVEST,
    ("POST", "api-imports"): {
        "organisation": "ustc",
        "format": "table",
        "content": "id,name\n1,SEM\n",
    },
    ("POST", "api-import-mapping"): {
        "name": "Lab",
        "content": {"source": "lab", "key": "nr", "fields": {"name": "device"}},
    },
    ("POST", "api-import-mappings"): {
        "organisation": "ustc",
        "name": "Lab",
        "content": {"source": "lab", "key": "nr", "fields": {"name": "device"}},
    },
    ("POST", "api-organisation-requests"): MISSING | {"region": "CN-AH"},
    ("POST", "api-organisation-request-approve"): {"organisation": "fudan"},
    ("POST", "api-organisation-request-reject"): {"reason": "It is a part of Fudan."},
    ("POST", "api-organisations-import"): {"file": ORGANISATIONS_FILE},
    ("POST", "api-regions-import"): {"file": "Y29kZQpDTi1KUwo="},
    ("POST", "api-regions"): {"scheme": "iso-3166-2", "code": "CN-JS"},
    ("PATCH", "api-region"): {"name": "Another name"},
    ("POST", "api-organisations"): {
        "code": "third",
        "name": "Third University",
        "kind": "university",
        "region": "CN-SH",
    },
    ("PATCH", "api-organisation"): {"name": "Another name"},
    ("PUT", "api-organisation-joining"): {
        "mail_domains": ["fudan.example"],
        "admits_by_mail": False,
    },
    ("PUT", "api-organisation-scopes"): {
        "scopes": ["nowhere.example"],
        "admits_by_scope": False,
    },
    ("POST", "api-organisation-moves"): {"region": "CN-AH", "starts_on": "2026-04-01"},
    ("POST", "api-organisation-merge"): {"into": "optics", "dry_run": True},
    ("POST", "api-membership-end"): {"bookings": "keep", "reason": "test"},
    ("POST", "api-roles"): {"user": "<member>", "role": "finance", "organisation": "fudan"},
    ("POST", "api-role-revoke"): {"reason": "test"},
    ("POST", "api-invitations"): {"organisation": "fudan", "email": "new@nowhere.example"},
    ("POST", "api-invitation-accept-token"): {"token": "<invitation-token>"},
    ("POST", "api-join-requests"): {"organisation": "fudan"},
    ("POST", "api-join-request-reject"): {"reason": "test"},
    ("POST", "api-facilities"): {
        "organisation": "ustc",
        "name": "Second site",
        "time_zone": "Asia/Shanghai",
    },
    ("POST", "api-instruments"): {
        "facility": "<facility>",
        "name": "New",
        "manufacturers": [{"name": "Maker"}],
        "description": "Words.",
        "service_modes": ["self"],
    },
    ("PATCH", "api-attachment"): {"title": "test"},
    ("POST", "api-capabilities"): {"parameter": "magnification", "maximum": "100000"},
    ("PATCH", "api-capability"): {"maximum": "20"},
    ("POST", "api-instrument-questions"): {"parameter": "spatial_resolution"},
    ("POST", "api-question-answer"): {"is_available": False},
    ("PATCH", "api-facility"): {"contact_name": "test"},
    ("POST", "api-operations-failures"): {"name": "final charges"},
    ("POST", "api-webhooks"): {
        "organisation": "ustc",
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    },
    ("PUT", "api-webhook"): {
        "address": "https://lab.example/hooks",
        "events": ["reservation.confirmed"],
    },
    ("POST", "api-result-confirm"): {"manifest_digest": "<manifest>"},
    ("POST", "api-result-keep"): {"days": 30},
    ("POST", "api-result-keep-requests"): {"days": 30},
    ("POST", "api-result-hold"): {"reason": "dispute"},
    ("POST", "api-result-links"): {
        "result": "<released-result>",
        "label": "Li",
        "expires_at": "2026-03-20T00:00:00Z",
    },
    ("POST", "api-keep-request-decide"): {"grant": True},
    ("POST", "api-feeds"): {"instrument": "<instrument>"},
    ("PUT", "api-busy-calendar"): {"address": "https://calendar.example/me.ics"},
    ("PATCH", "api-message"): {"is_read": True},
    ("PUT", "api-message-settings"): {"topics": {"reminder": {"mail": "off"}}, "quiet": None},
    ("POST", "api-lists"): {"name": "Another"},
    ("PATCH", "api-list"): {"name": "Renamed"},
    ("POST", "api-list-entries"): {"instrument": "<instrument>"},
    ("PATCH", "api-list-entry"): {"note": "Ask for Zhao"},
    ("POST", "api-searches"): {"name": "mine", "q": "microscope"},
    ("PATCH", "api-search"): {"is_paused": True},
    ("PATCH", "api-instrument"): {"room": "101"},
    ("POST", "api-statistics-exports"): {
        "table": "days",
        "from": "2026-03-01",
        "until": "2026-04-01",
    },
    ("POST", "api-statistics-norms"): {
        "scheme": "nrii",
        "kind": "general",
        "hours": 1500,
        "valid_from": "2100-01-01",
    },
    ("PUT", "api-opening-hours"): {
        "weekly": [{"weekday": 1, "opens": "08:00", "closes": "12:00"}],
        "overrides": [],
        "observes_holidays": False,
    },
    ("PUT", "api-house-rules"): {"text": "test"},
    ("PUT", "api-facility-house-rules"): {"text": "test"},
    ("POST", "api-house-rules-accept"): {"version": 1},
    ("POST", "api-reservation-answers"): {"moment": "before", "answers": {"clean": True}},
    ("PUT", "api-questionnaires"): {
        "moment": "after",
        "questions": [{"key": "note", "kind": "text", "label": "test"}],
    },
    ("POST", "api-kept-hours"): {
        "instrument": "<instrument>",
        "organisation": "fudan",
        "minutes": 60,
        "start": "2026-07-06T00:00:00Z",
        "end": "2026-07-10T00:00:00Z",
        "reason": "test",
    },
    ("POST", "api-kept-change"): {"minutes": 120, "reason": "test"},
    ("POST", "api-kept-end"): {"reason": "test"},
    ("POST", "api-meters"): {"name": "test"},
    ("POST", "api-counters"): {"name": "test", "limit": "500"},
    ("POST", "api-meter-readings"): {"value": "5"},
    ("POST", "api-meter-reading-correct"): {"value": "5", "reason": "test"},
    ("POST", "api-counter-done"): {"note": "test"},
    ("PUT", "api-policy"): {"slot_minutes": 60},
    ("POST", "api-misfits"): {"policy": {"slot_minutes": 60}},
    ("POST", "api-rate-cards"): {
        "currency": "CNY",
        "valid_from": "2027-01-01",
        "rates": {"internal": "1.00"},
    },
    ("PUT", "api-rate-card"): {
        "currency": "CNY",
        "valid_from": "2027-01-01",
        "rates": {"internal": "1.00"},
    },
    ("POST", "api-what-if"): {
        "currency": "CNY",
        "valid_from": "2027-01-01",
        "rates": {"internal": "1.00"},
    },
    ("POST", "api-instrument-faults"): {"severity": "usable", "text": "The stage drifts."},
    ("POST", "api-fault-confirm"): {"reason": ""},
    ("POST", "api-fault-dismiss"): {"reason": "test"},
    ("POST", "api-kiosks"): {"name": "Room 214", "instruments": ["<instrument>"]},
    ("POST", "api-closures"): {
        "start": "2026-03-10T02:00:00Z",
        "end": "2026-03-10T04:00:00Z",
        "kind": "maintenance",
        "reason": "",
        "displace": False,
    },
    ("POST", "api-duplicate-verdicts"): {
        "first": "<instrument>",
        "second": "<asks-first>",
        "verdict": "kept",
        "note": "test",
    },
    ("POST", "api-qualifications"): {
        "user": "hu@optics.example",
        "instrument": "<instrument>",
    },
    ("POST", "api-qualification-revoke"): {"reason": "test"},
    ("POST", "api-courses"): {"instrument": "<instrument>", "name": "test", "places": 3},
    ("PATCH", "api-course"): {"places": 3},
    ("POST", "api-course-sessions"): {
        "course": "<plain-course>",
        "facility": "<facility>",
        "start": "2026-03-16T01:00:00Z",
        "end": "2026-03-16T04:00:00Z",
        "deadline": "2026-03-16T01:00:00Z",
        "places": 3,
    },
    ("PATCH", "api-course-session"): {"places": 3},
    ("POST", "api-course-session-cancel"): {"reason": "test"},
    ("POST", "api-enrolments"): {"session": "<course-session>"},
    ("POST", "api-enrolment-result"): {"result": "absent"},
    ("POST", "api-closure-end"): {"end": "2026-03-09T03:00:00Z"},
    ("POST", "api-charge-dispute"): {"reason": "test"},
    ("POST", "api-charge-settle"): {"verdict": "reject", "answer": "test"},
    ("POST", "api-charge-corrections"): {"waive_percent": "50", "reason": "test"},
    ("POST", "api-correction-refuse"): {"reason": "test"},
    ("PUT", "api-reservation-usage"): {
        "check_in": "2026-03-04T14:00:00+08:00",
        "check_out": "2026-03-04T15:00:00+08:00",
    },
    ("POST", "api-quotes"): {
        "instrument": "<instrument>",
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
    },
    ("POST", "api-reservations"): RESERVATION,
    ("POST", "api-purchase-cases"): CASE,
    ("PUT", "api-purchase-case"): CASE,
    ("POST", "api-purchase-case-experts"): {"person": "hu@optics.example"},
    ("POST", "api-purchase-case-decide"): DECISION,
    ("POST", "api-purchase-case-appeal"): {"reason": "We disagree."},
    ("POST", "api-purchase-case-in-service"): {
        "instrument": "<instrument>",
        "in_service_on": "2026-03-01",
    },
    ("POST", "api-host-pledge-answer"): {"answer": "denial", "reason": "other"},
    ("POST", "api-case-opinion-declare"): {"interest": ""},
    ("POST", "api-case-opinion-give"): {"advice": "share", "text": "As before."},
    ("POST", "api-samples"): SAMPLE_ITEM,
    ("PUT", "api-sample"): SAMPLE_ITEM,
    ("POST", "api-sample-steps"): {"state": "shipped"},
    ("POST", "api-samples-steps"): {"state": "received", "samples": ["<sample-item>"]},
    ("POST", "api-sample-join"): {"reservation": "<reservation>"},
    ("POST", "api-sample-leave"): {"reservation": "<reservation>"},
    ("POST", "api-results"): {"reservation": "<reservation>"},
    ("POST", "api-result-point"): {"protocol": "sftp", "host": "data.example", "path": "/runs/1"},
    ("POST", "api-result-withdraw"): {"reason": "test"},
    ("PUT", "api-result-terms"): {"due_days": 7, "keep_days": 30, "modes": ["entrusted"]},
    ("PATCH", "api-result-storage"): {"quota": 10},
    ("POST", "api-needs"): NEED,
    ("POST", "api-planned-purchases"): PLAN | {"organisation": "ustc"},
    ("PUT", "api-planned-purchase"): PLAN,
    ("POST", "api-planned-purchase-drop"): {"reason": "test"},
    ("POST", "api-planned-purchase-case"): {"case": "<absent>"},
    ("PUT", "api-need"): NEED,
    ("POST", "api-batches"): {
        "region": "CN-SH",
        "starts_at": "2026-03-06T08:00:00Z",
        "ends_at": "2026-03-20T20:00:00Z",
    },
    ("POST", "api-enquiries"): {"need": "<need>"},
    ("POST", "api-enquiry-accept"): {"slot": "<slot>"},
    ("POST", "api-enquiry-close"): {"reason": "price"},
    ("POST", "api-bids"): BID | {"enquiry": "<enquiry>", "instrument": "<instrument>"},
    ("PUT", "api-bid"): BID,
    ("POST", "api-need-open"): {"reason": "test"},
    ("POST", "api-need-share"): {"person": "sun@ustc.example"},
    ("POST", "api-need-unshare"): {"person": "sun@ustc.example"},
    ("POST", "api-waiting-list"): {
        "instrument": "<instrument>",
        "earliest": "2026-03-06T00:00:00Z",
        "latest": "2026-03-07T00:00:00Z",
        "minutes": 60,
    },
    ("POST", "api-people-import"): {"file": PEOPLE_FILE, "organisation": "fudan"},
    ("POST", "api-reservations-import"): {"file": FILE},
    ("POST", "api-holds"): {
        "instrument": "<instrument>",
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
    },
    ("POST", "api-reservation-move"): {
        "start": "2026-03-06T06:00:00Z",
        "end": "2026-03-06T07:00:00Z",
        "reason": "test",
    },
    ("POST", "api-statement-void"): {"reason": "test"},
    ("POST", "api-statement-payments"): PAYMENT,
    ("POST", "api-statement-notices"): NOTICE,
    ("POST", "api-payment-notice-refuse"): {"reason": "test"},
    ("POST", "api-statement-exchange-rate"): {"exchange_rate": "<rate>"},
    ("POST", "api-settlement-confirm"): {},
    ("POST", "api-settlement-payments"): PAYMENT,
    ("POST", "api-exchange-rates"): RATE,
    ("POST", "api-reservation-cancel"): {"reason": "test"},
    ("POST", "api-series"): RESERVATION | {"rule": "FREQ=DAILY;INTERVAL=3;COUNT=2"},
    ("POST", "api-chains"): {
        "steps": [
            {"instrument": "<instrument>", "minutes": 60, "service_mode": "self"},
            {"instrument": "<asks-first>", "minutes": 60, "service_mode": "self"},
        ],
        "purpose": {"code": "research", "text": ""},
        "earliest": "2026-03-12T00:00:00+08:00",
        "latest": "2026-03-13T00:00:00+08:00",
    },
    ("POST", "api-chain-cancel"): {"reason": "test"},
    ("POST", "api-series-cancel"): {"scope": "all", "reason": "test"},
    ("POST", "api-series-move"): {
        "scope": "all",
        "reservation": "<occurrence>",
        "start": "2026-03-11T13:00:00+08:00",
        "end": "2026-03-11T14:00:00+08:00",
        "reason": "test",
    },
    ("POST", "api-agreements"): {
        "code": "two",
        "name": "Anhui and Shanghai",
        "regions": ["CN-AH", "CN-SH"],
        "valid_from": "2027-01-01",
    },
    ("PATCH", "api-agreement"): {
        "discount_percent": "20",
        "valid_from": "2027-01-01",
        "valid_until": None,
    },
    ("POST", "api-programmes"): {
        "region": "CN-SH",
        "code": "two",
        "name": "Vouchers",
        "percent": "50",
        "valid_from": "2026-01-01",
    },
    ("PATCH", "api-programme"): {"percent": "20"},
    ("POST", "api-grants"): {
        "programme": "<programme>",
        "organisation": "fudan",
        "amount": "10.00",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    },
    ("PATCH", "api-grant"): {"amount": "2000.00"},
    ("POST", "api-funding-sources"): SOURCE,
    ("PATCH", "api-funding-source"): {"name": "New"},
    ("POST", "api-funding-source-suspend"): {"reason": "test"},
    ("PATCH", "api-audit-exception"): {"state": "review"},
    ("POST", "api-audit-exceptions-decide"): {
        "exceptions": [{"id": "<exception>"}],
        "state": "review",
    },
    ("POST", "api-audit-samples"): SAMPLE,
    ("POST", "api-audit-findings"): FINDING,
    ("POST", "api-alarm-answer"): {"reason": "repair", "due_date": "2026-05-01"},
    ("POST", "api-alarm-thresholds"): THRESHOLD | {"value": 15},
    ("POST", "api-reservation-rate"): {"rating": 4},
    ("POST", "api-reservation-answer-rating"): {"answer": "test"},
    ("POST", "api-audit-finding-reply"): {"reply": "test"},
    ("POST", "api-audit-finding-return"): {"note": "test"},
    ("POST", "api-audit-finding-close"): {"evidence": "test"},
    ("POST", "api-reservation-approve"): {},
    ("POST", "api-reservation-reject"): {"reason": "test"},
}
