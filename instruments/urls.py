"""Addresses of managing instruments, and of the reader's own qualifications."""

from django.urls import path

from instruments.views import (
    attachments,
    capabilities,
    courses,
    drafts,
    harvests,
    imports,
    measurands,
    opening,
    policies,
    publishing,
    qualifications,
    ratecards,
    registry,
    techniques,
    training,
)

app_name = "instruments"

_harvest = "manage/harvests/<uuid:harvest_id>/"
_one = "manage/instruments/<uuid:instrument_id>/"
_course = "manage/training/courses/<uuid:course_id>/"
_session = "manage/training/sessions/<uuid:session_id>/"

urlpatterns = [
    path("manage/", registry.manage, name="manage"),
    path("manage/drafts/", drafts.drafts, name="drafts"),
    path("manage/imports/", imports.imports, name="imports"),
    path("manage/imports/<uuid:import_id>/", imports.one, name="import"),
    path("manage/imports/<uuid:import_id>/columns/", imports.columns, name="import-columns"),
    path("manage/imports/<uuid:import_id>/again/", imports.read_again, name="import-again"),
    path("manage/imports/<uuid:import_id>/apply/", imports.apply, name="import-apply"),
    path("manage/imports/<uuid:import_id>/cancel/", imports.cancel, name="import-cancel"),
    path(
        "manage/import-mappings/<uuid:mapping_id>/delete/",
        imports.mapping_forget,
        name="import-mapping-delete",
    ),
    path("manage/harvests/", harvests.harvests, name="harvests"),
    path(_harvest, harvests.one, name="harvest"),
    path(_harvest + "fetch/", harvests.fetch, name="harvest-fetch"),
    path(_harvest + "pause/", harvests.pause, name="harvest-pause"),
    path(_harvest + "resume/", harvests.resume, name="harvest-resume"),
    path(_harvest + "delete/", harvests.delete, name="harvest-delete"),
    path("manage/export/", imports.export, name="export"),
    path("manage/facilities/", registry.facility_list, name="facilities"),
    path("manage/facilities/<uuid:facility_id>/", registry.facility_edit, name="facility-edit"),
    path("manage/facilities/new/", registry.facility_new, name="facility-new"),
    path("manage/instruments/new/", registry.instrument_new, name="instrument-new"),
    path(_one, publishing.instrument_manage, name="instrument-manage"),
    path(_one + "record/", registry.instrument_edit, name="instrument-edit"),
    path(_one + "hours/", opening.opening_hours, name="opening"),
    path(_one + "policy/", policies.policy, name="policy"),
    path(_one + "rates/", ratecards.rate_cards, name="rate-cards"),
    path(_one + "rates/<int:version>/delete/", ratecards.delete, name="rate-card-delete"),
    path(_one + "people/", qualifications.people, name="people"),
    path(
        _one + "people/<uuid:qualification_id>/revoke/",
        qualifications.revoke,
        name="qualification-revoke",
    ),
    path("training/", training.training, name="training"),
    path("training/courses/<uuid:course_id>/", training.course, name="course"),
    path("training/sessions/<uuid:session_id>/enrol/", training.enrol, name="enrol"),
    path(
        "training/enrolments/<uuid:enrolment_id>/withdraw/",
        training.withdraw,
        name="enrol-withdraw",
    ),
    path("manage/training/", courses.courses, name="courses"),
    path("manage/training/new/", courses.course_new, name="course-new"),
    path(_course, courses.course_manage, name="course-manage"),
    path(_course + "retire/", courses.retire, name="course-retire"),
    path(_course + "sessions/new/", courses.session_new, name="session-new"),
    path(_session, courses.session_manage, name="session-manage"),
    path(_session + "cancel/", courses.cancel, name="session-cancel"),
    path(_session + "enrol/", courses.enrol, name="session-enrol"),
    path(
        "manage/training/enrolments/<uuid:enrolment_id>/result/",
        courses.result,
        name="enrolment-result",
    ),
    path("measurands/", measurands.measurands, name="measurands"),
    path("measurands/new/", measurands.measurand_new, name="measurand-new"),
    path("measurands/<slug:code>/", measurands.measurand, name="measurand"),
    path("techniques/", techniques.techniques, name="techniques"),
    path("techniques/<str:code>/", techniques.technique, name="technique"),
    path("qualifications/", qualifications.mine, name="qualifications"),
    path(_one + "attachments/", attachments.attachments, name="attachments"),
    path("manage/attachments/<uuid:attachment_id>/", attachments.change, name="attachment-change"),
    path(
        "manage/attachments/<uuid:attachment_id>/delete/",
        attachments.delete,
        name="attachment-delete",
    ),
    path("files/<uuid:attachment_id>/<slug:size>/", attachments.file, name="file"),
    path(_one + "capabilities/", capabilities.capabilities, name="capabilities"),
    path("manage/capabilities/<uuid:capability_id>/", capabilities.change, name="capability"),
    path(
        "manage/capabilities/<uuid:capability_id>/remove/",
        capabilities.remove,
        name="capability-remove",
    ),
    path("instruments/<uuid:instrument_id>/questions/", capabilities.ask, name="question-ask"),
    path("questions/", capabilities.questions, name="questions"),
    path("questions/<uuid:question_id>/", capabilities.answer, name="question"),
    path(_one + "confirm/", publishing.confirm, name="confirm"),
    path(_one + "publication/", publishing.publication, name="publication"),
]
