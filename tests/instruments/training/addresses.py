"""The addresses of *training*, as tests/architecture/permission_table.py reads them."""

COURSE_SESSION = {
    "facility": "<facility>",
    "start": "2026-03-16T09:00",
    "end": "2026-03-16T12:00",
    "places": "3",
}

PAGES = """
GET  instruments:people              - 403 403 403 403 200 403 403 403 403 403 403 403
POST instruments:people              - 403 403 403 403 302 403 403 403 403 403 403 403
POST instruments:qualification-revoke   - 404 403 404 404 302 404 404 404 403 404 404 404
GET  instruments:training            - 200 200 200 200 200 200 200 200 200 200 200 200
GET  instruments:course              - 200 200 200 200 200 200 200 200 200 200 200 200
POST instruments:enrol               - 403 409 302 302 302 302 302 302 403 403 403 403
POST instruments:enrol-withdraw      - 404 302 404 404 302 404 404 404 403 404 404 404
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
POST instruments:enrolment-result    - 404 403 302 404 302 404 404 404 403 404 404 404
POST instruments:enrolment-undo      - 404 403 403 404 302 404 404 404 403 404 404 404
GET  instruments:qualifications      - 200 200 200 200 200 200 200 200 200 200 200 200
"""
API = """
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
POST   api-enrolment-undo            - 404 403 403 404 200 404 404 404 403 404 404 404
"""
# Codes of refusals that are not their status's usual one.
REFUSED = """
POST   api-enrolments                   403 join-first
POST   api-enrolments                   409 already-enrolled
"""
# Which thing of the test's world an argument of an address names.
ARGUMENTS = {
    "qualification_id": "qualification",
    "course_id": "course",
    "session_id": "course-session",
    "enrolment_id": "enrolment",
}
# And where an address means another.
THINGS = {
    ("instruments:course-retire", "course_id"): "plain-course",
    ("api-course-retire", "course_id"): "plain-course",
    ("instruments:session-manage", "session_id"): "led-session",
    ("instruments:enrolment-result", "enrolment_id"): "begun-enrolment",
    ("api-enrolment-result", "enrolment_id"): "begun-enrolment",
    ("instruments:enrolment-undo", "enrolment_id"): "passed-enrolment",
    ("api-enrolment-undo", "enrolment_id"): "passed-enrolment",
}
PAGE_BODIES = {
    "instruments:people": {"user": "hu@optics.example", "thing": "instrument", "valid_from": "2026-03-05"},
    "instruments:qualification-revoke": {"reason": "test"},
    "instruments:course-new": {"thing": "<instrument>", "name": "test", "places": "3"},
    "instruments:course-manage": {"name": "test", "places": "3"},
    "instruments:session-new": COURSE_SESSION,
    "instruments:session-manage": COURSE_SESSION,
    "instruments:session-cancel": {"reason": "test"},
    "instruments:session-enrol": {"user": "hu@optics.example"},
    "instruments:enrolment-result": {"result": "absent"},
    "instruments:enrolment-undo": {"result": "failed", "reason": "test"},
}
API_BODIES = {
    ("POST", "api-qualifications"): {"user": "hu@optics.example", "instrument": "<instrument>"},
    ("POST", "api-qualification-revoke"): {"reason": "test"},
    ("POST", "api-courses"): {"instrument": "<instrument>", "name": "test", "places": 3},
    ("PATCH", "api-course"): {"places": 3},
    ("POST", "api-course-sessions"): {
        "course": "<plain-course>",
        "facility": "<facility>",
        "start": "2026-03-18T01:00:00Z",
        "end": "2026-03-18T04:00:00Z",
        "deadline": "2026-03-18T01:00:00Z",
        "places": 3,
    },
    ("PATCH", "api-course-session"): {"places": 3},
    ("POST", "api-course-session-cancel"): {"reason": "test"},
    ("POST", "api-enrolments"): {"session": "<course-session>"},
    ("POST", "api-enrolment-result"): {"result": "absent"},
    ("POST", "api-enrolment-undo"): {"result": "failed", "reason": "test"},
}
# Pages that take more statements than others, and what for.
MORE_STATEMENTS = {
    "instruments:training": 10,  # courses, dates, places, trainers and one's own; what is replaced
    "instruments:session-manage": 11,  # who takes part and pays; the sites and instruments to choose from
}
