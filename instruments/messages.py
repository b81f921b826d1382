"""Codes to words in the reader's language: the price groups, and why a file, or a row of one, is
refused. Codes never change; words may."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from instruments.domain.capabilities import Parameters, Requirement
from instruments.domain.delimited import MAX_BYTES

# Who books in hours for certain groups.
GROUP_LABELS = {
    "certified": _("only holders of a certificate"),
    "organisation": _("only the host’s own people"),
    "region": _("only organisations of its region"),
}

# The words for a price group wherever one is read: pages, forms, letters, files, the API.
PRICE_GROUP_LABELS = {
    "internal": _("the owner's own people"),
    "regional": _("organisations of the same region"),
    "partner": _("organisations of partner regions"),
    "external": _("organisations of other regions"),
    "industry": _("enterprises"),
}

# Classes of hazard: the nine of the Globally Harmonized System by what its pictograms mean.
HAZARD_LABELS = {
    "explosive": _("explosive"),
    "flammable": _("flammable"),
    "oxidising": _("oxidising"),
    "pressurised-gas": _("gas under pressure"),
    "corrosive": _("corrosive"),
    "toxic": _("acutely toxic"),
    "irritant": _("irritant or harmful"),
    "health-hazard": _("serious health hazard"),
    "environmental": _("hazardous to the environment"),
    "biological": _("biological hazard"),
    "radioactive": _("radioactive"),
    "magnetic": _("strongly magnetic"),
    "cryogenic": _("very cold"),
    "nanomaterial": _("loose powder or nanomaterial"),
}

FILE_SENTENCES = {
    "file-too-large": _("The file is larger than {megabytes} MB."),
    "unknown-encoding": _("There is no character encoding {encoding}."),
    "not-text": _(
        "The file is not {encoding} text: byte {offset} cannot be read. Say how it is encoded,"
        " for instance cp1252 or gb18030."
    ),
    "nul-byte": _(
        "Line {line} has a NUL byte: the file is no text. Save a spreadsheet as CSV or XLSX first."
    ),
    "line-too-long": _("Line {line}, or one near it, has over {most} characters: no table has."),
    "empty-file": _("The file is empty."),
    "too-many-rows": _("The file has over {most} rows: split it."),
    "too-many-columns": _("The file has {columns} columns, {most} at most."),
    "no-header": _("The file has no header: its first line should name the columns."),
    "duplicate-header": _("Two columns are called {column}."),
    "unclosed-quote": _("The quotation mark opened on line {line} is never closed."),
    "no-name-column": _("The file has no column Name or Description; its columns are: {columns}."),
    "not-a-workbook": _("The file is no workbook (XLSX) that can be read: damaged, or locked."),
    "zip-bomb": _(
        "The file would unpack to {megabytes} MB in {parts} parts: it is not read. If it is a real"
        " workbook, save it as CSV."
    ),
    "xml-doctype": _("The file has a document type, which could define entities: it is not read."),
    "xml-too-deep": _("The file's XML is nested more than {most} deep."),
    "xml-too-many": _("The file's XML has too many elements that belong to no row or record."),
    "xml-malformed": _("The file's XML is broken at line {line}."),
    "json-malformed": _("The file's JSON is broken."),
    "not-pidinst": _("The file has no PIDINST record: neither JSON nor XML with an instrument."),
    "record-too-large": _("A record of the file has over {most} characters."),
    "import-failed": _(
        "The import stopped {attempts} times because of an error of the platform, not of the "
        "file. What was written before is listed."
    ),
    "no-mapping": _("There is no mapping {mapping}; the platform's own are: {known}."),
    "mapping-needed": _("Map the columns: the table needs a mapping."),
    "mapping-unreadable": _("The mapping is no readable YAML (line {line})."),
    "mapping-unknown-entry": _("The mapping has an unknown entry: {entry}."),
    "mapping-missing-entry": _("The mapping lacks {entry}."),
    "mapping-bad-entry": _("The mapping's {entry} is not of the right form."),
    "mapping-unknown-field": _("The mapping fills a field that does not exist: {field}."),
    "mapping-absent-column": _("The mapping names a column that the file does not have: {column}."),
}
# Why an address cannot be called, or what it answers is of no use.
ADDRESS_SENTENCES = {
    "address-malformed": _(
        "This web address cannot be called: it must have no name and password, and use the usual "
        "port or one above 1023."
    ),
    "address-not-https": _("The address must begin with https://."),
    "address-not-public": _(
        "The address leads to a private network, to this machine or to another place that is not"
        " open to everybody: it is not called."
    ),
    "host-unknown": _("There is no such host."),
    "unreachable": _("The host does not answer."),
    "bad-certificate": _("The host's certificate is not valid for its name."),
    "too-slow": _("The answer was not complete after {seconds} seconds."),
    "answer-too-large": _("The answer is larger than {megabytes} MB."),
    "too-many-redirects": _("The address redirects more than {most} times."),
    "sent-elsewhere": _("The host redirects to another one, to which nothing is sent."),
    "answer-broken": _("The answer broke off, or is not HTTP."),
    "answer-encoded": _("The answer is packed in a way that is not read."),
    "answer-status": _("The host answers with status {status} instead of a file."),
}
HARVEST_SENTENCES = {
    "a-page": _("The address gives a web page, not a file: perhaps one must sign in first."),
    "not-a-table": _("The address gives no file of this format."),
    "not-a-calendar": _("The address gives no calendar that can be read."),
    "calendar-too-costly": _(
        "Its events recur so often, or are so many, that reading it takes too long."
    ),
    "reading-stopped": _("Reading it stopped before its end."),
    "no-longer-manager": _(
        "Whoever saved this last no longer manages instruments here: save it again."
    ),
}
ROW_SENTENCES = {
    "no-name": _("it has no usable name or description"),
    "no-key": _("its key is empty"),
    "duplicate-key": _("its key {key} came before, on line {first}"),
    "key-comes-again": _("its key {key} comes again, on line {again}"),
    "same-instrument": _("it is the same instrument as line {first}"),
    "merged-away": _("its record was merged into {into}, which keeps its own values"),
    "wrong-cells": _("its number of cells is {cells}, that of the header {columns}"),
    "cell-too-long": _("the cell of column {column} has {length} characters, {most} at most"),
    "formula-cell": _("the cell of column {column} is a formula: put its value there"),
    "error-cell": _("the cell of column {column} holds an error of the spreadsheet"),
    "malformed-quotes": _("its quotation marks make no sense"),
    "too-long": _("{field} has {length} characters, {most} at most"),
    "too-many-items": _("{field} has {items} entries, {most} at most"),
    "bad-value": _("{field} is not of the right form"),
    "unknown-technique": _("there is no technique {code}"),
    "schema": _("it does not fit the schema at {where}: {problem}"),
    "cyclic-relation": _("its relations run in a circle: {through}"),
    "facility-row": _("it describes a facility, not an instrument"),
    "left-out": _("the mapping leaves it out: {because}"),
}

# The fields of a record by name, as pages say them.
FIELD_LABELS = {
    "name": _("Name"),
    "name_zh": _("Name in Chinese"),
    "description": _("Description"),
    "description_zh": _("Description in Chinese"),
    "landing_page": _("Landing page"),
    "identifier": _("Persistent identifier"),
    "identifier_type": _("Kind of identifier"),
    "owners": _("Owner"),
    "manufacturers": _("Maker"),
    "model": _("Model"),
    "model_identifier": _("Identifier of the model"),
    "model_identifier_type": _("Kind of identifier of the model"),
    "instrument_types": _("Type of instrument"),
    "measured_variables": _("What it measures"),
    "dates": _("Dates"),
    "commissioned_date": _("Taken into use on"),
    "decommissioned_date": _("Taken out of use on"),
    "related_identifiers": _("Related identifiers"),
    "alternate_identifiers": _("Other identifiers"),
    "inventory_number": _("Inventory number"),
    "serial_number": _("Serial number"),
    "classification_code": _("Classification code"),
    "acquisition_cost": _("Acquisition cost"),
    "acquisition_currency": _("Currency"),
    "acquisition_date": _("Acquired on"),
    "service_modes": _("How it can be used"),
    "techniques": _("Techniques"),
    "capabilities": _("What it can do"),
    "kind": _("Kind"),
    "norm_hours": _("Own norm hours a year"),
    "room": _("Room"),
    "facility": _("Facility"),
    "address": _("Address"),
    "contact_name": _("Contact name"),
    "contact_email": _("E-mail"),
    "contact_phone": _("Telephone"),
    "website": _("Website"),
    "opening_hours": _("Opening hours"),
}
# Why a difference is not taken over.
KEPT = {
    "by-hand": _("stays: a person wrote it here"),
    "published": _("stays: what is published keeps it"),
    "not-understood": _("not understood: it goes into the description"),
}


def file_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Why a file is refused."""
    template = str(FILE_SENTENCES.get(code, code))
    return template.format_map({"megabytes": MAX_BYTES // 1024**2, **numbers})


def row_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Why a row is refused."""
    sentence = str(ROW_SENTENCES.get(code, code)).format_map(dict(numbers))
    if until := numbers.get("until"):
        run_on = gettext("; it runs on to line {until}, perhaps from a stray quotation mark")
        sentence += run_on.format(until=until)
    return sentence


def harvest_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Why fetching failed."""
    template = (ADDRESS_SENTENCES | HARVEST_SENTENCES).get(code)
    return str(template).format_map(dict(numbers)) if template else file_sentence(code, numbers)


def required_text(requirement: Requirement, parameters: Parameters) -> str:
    """What is required of a parameter, with its unit."""
    parameter = parameters.get(requirement.parameter)
    unit = parameter.unit if parameter else ""

    def side(value: Decimal) -> str:
        return f"{parameter.shown(value, unit):f} {unit}".strip() if parameter else f"{value:f}"

    low, high = requirement.low, requirement.high
    if low is not None and high is not None:
        if low == high:
            return side(low)
        return gettext("{low} to {high}").format(low=side(low), high=side(high))
    if low is not None:
        return gettext("down to {value}").format(value=side(low))
    return gettext("up to {value}").format(value=side(high)) if high is not None else ""
