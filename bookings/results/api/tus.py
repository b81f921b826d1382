"""Describe the addresses of the tus protocol in OpenAPI by hand: what they take is in headers, which shapes
do not know, and HEAD is asked for itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop

from accounts.api.schema import ABOUT, PROBLEM

MEDIA_TYPE = "application/offset+octet-stream"
type Described = dict[str, Any]

_BYTES: Described = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_TAKEN: Mapping[str, tuple[Described, str]] = {
    "Tus-Resumable": ({"type": "string", "enum": ["1.0.0"]}, gettext_noop("The version of the protocol.")),
    "Upload-Length": (_BYTES, gettext_noop("The size of the file in bytes.")),
    "Upload-Metadata": (
        {"type": "string"},
        gettext_noop("`hand_off`, `path` and, if known, `sha256`, each followed by its value in base64."),
    ),
    "Upload-Offset": (_BYTES, gettext_noop("Where the piece begins: what HEAD answers.")),
    "Upload-Checksum": (
        {"type": "string", "pattern": "^(sha1|sha256) [A-Za-z0-9+/]+=*$"},
        gettext_noop("`sha1` or `sha256` of the body in base64: all of it is stored, or nothing. Optional."),
    ),
}
_GIVEN: Mapping[str, tuple[Described, str]] = {
    "Tus-Resumable": _TAKEN["Tus-Resumable"],
    "Location": ({"type": "string"}, gettext_noop("The address of the upload.")),
    "Upload-Offset": (_BYTES, gettext_noop("How many bytes are stored.")),
    "Upload-Length": _TAKEN["Upload-Length"],
    "Upload-Expires": ({"type": "string"}, gettext_noop("When an upload without a byte is deleted.")),
}
_ABOUT: Mapping[int, str] = {
    409: gettext_noop("The piece does not begin where the file ends so far, or the delivery takes no files."),
    412: gettext_noop("The client uses another version of the protocol."),
    413: gettext_noop("The body is longer than what the file lacks, or the file than the storage left."),
    415: gettext_noop("The body must be of the protocol's media type."),
    423: gettext_noop("Another request is writing to the same file."),
    460: gettext_noop("The body does not match its checksum."),
}
_ALL = (400, 401, 403, 404, 406, 412, 429, 500, 503)
_PIECE = (409, 413, 415, 423, 460)


def uploads_described() -> Described:
    """Return the operations of the address under which files begin."""
    begin = _operation(
        "upload_begin", gettext("Begin an upload"), 201, ("Location", "Upload-Offset", "Upload-Expires"),
        takes=("Upload-Length", "Upload-Metadata"), has_piece=True, refuses=_PIECE,
    )  # fmt: skip
    return {"post": begin}


def upload_described() -> Described:
    """Return the operations of the address of a file."""
    own: Described = {"name": "file_id", "in": "path", "required": True}
    own["schema"] = {"type": "string", "format": "uuid"}
    stands = ("Upload-Offset", "Upload-Expires")
    described = {
        "head": _operation(
            "upload_state", gettext("Where an upload goes on"), 200, ("Upload-Length", *stands),
            refuses=(409,),
        ),
        "patch": _operation(
            "upload_write", gettext("Send a piece of an upload"), 204, stands,
            takes=("Upload-Offset",), has_piece=True, refuses=_PIECE,
        ),
        "delete": _operation("upload_remove", gettext("Remove an upload"), 204, (), refuses=(409,)),
    }  # fmt: skip
    return {name: each | {"parameters": [dict(own), *each["parameters"]]} for name, each in described.items()}


def _operation(
    name: str,
    summary: str,
    status: int,
    gives: Sequence[str],
    *,
    takes: Sequence[str] = (),
    has_piece: bool = False,
    refuses: Sequence[int] = (),
) -> Described:
    parameters = [_parameter(each, required=True) for each in ("Tus-Resumable", *takes)]
    operation: Described = {"operationId": name, "summary": summary, "tags": ["results"]}
    operation["description"] = gettext("tus 1.0 (https://tus.io), with a token of the scope `upload`.")
    answers = {str(status): {"description": gettext("Done."), "headers": _headers(["Tus-Resumable", *gives])}}
    if has_piece:
        parameters.append(_parameter("Upload-Checksum", required=False))
        content = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": name == "upload_write", "content": content}
    for code in sorted((*_ALL, *refuses)):
        about = gettext(_ABOUT[code]) if code in _ABOUT else str(ABOUT[code])
        answer: Described = {"description": about}
        if name != "upload_state":  # what answers HEAD has no body
            answer["content"] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[str(code)] = answer
    security: list[Described] = [{"token": []}, {"session": []}]
    return operation | {"parameters": parameters, "responses": answers, "security": security}


def _parameter(name: str, *, required: bool) -> Described:
    schema, about = _TAKEN[name]
    described = {"name": name, "in": "header", "required": required, "schema": dict(schema)}
    return described | {"description": gettext(about)}


def _headers(names: Sequence[str]) -> Described:
    return {
        name: {"schema": dict(schema), "description": gettext(about)}
        for name in names
        for schema, about in [_GIVEN[name]]
    }
