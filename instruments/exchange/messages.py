"""Sentences of the refusals, names of the acts and other words of *exchange*."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy
from instruments.reading.domain.delimited import MAX_BYTES

FILE_SENTENCES = {
    "file-too-large": _("The file is larger than {megabytes} MB."),
    "unknown-encoding": _("There is no character encoding {encoding}."),
    "not-text": _(
        "The file is not {encoding} text: byte {offset} cannot be read. Say how it is encoded,"
        " for instance cp1252 or gb18030."
    ),
    "nul-byte": _(
        "Line {line} has a NUL byte, so this is not a text file. Save a spreadsheet as CSV or XLSX first."
    ),
    "line-too-long": _("Line {line}, or one near it, has more than {most} characters: too many for a table."),
    "empty-file": _("The file is empty."),
    "too-many-rows": _("The file has over {most} rows: split it."),
    "too-many-columns": _("The file has {columns} columns, {most} at most."),
    "no-header": _("The file has no header: its first line should name the columns."),
    "duplicate-header": _("Two columns are called {column}."),
    "unclosed-quote": _("The quotation mark opened on line {line} is never closed."),
    "no-name-column": _("The file has no column Name or Description; its columns are: {columns}."),
    "not-a-workbook": _("The file is not a readable workbook (XLSX): it is damaged or locked."),
    "zip-bomb": _(
        "The file would unpack to {megabytes} MB in {parts} parts, so it was not read. If it is "
        "a real workbook, save it as CSV."
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
    "mapping-bad-entry": _("The mapping's {entry} is not in the right format."),
    "mapping-unknown-field": _("The mapping fills a field that does not exist: {field}."),
    "mapping-absent-column": _("The mapping names a column that the file does not have: {column}."),
}
# Why an address cannot be called, or its answer cannot be used.
ADDRESS_SENTENCES = {
    "address-malformed": _(
        "This web address cannot be called: it must not contain a name or password, and must use "
        "the usual port or one above 1023."
    ),
    "address-not-https": _("The address must begin with https://."),
    "address-on-this-machine": _(
        "This address is on the platform's own machine, which only the demonstration calls."
    ),
    "address-not-public": _(
        "The address leads to a private network, to this machine or to another place that is not "
        "public, so it is not called."
    ),
    "host-unknown": _("There is no such host."),
    "unreachable": _("The host does not answer."),
    "bad-certificate": _("The host's certificate is not valid for its name."),
    "too-slow": _("The answer was not complete after {seconds} seconds."),
    "answer-too-large": _("The answer is larger than {megabytes} MB."),
    "too-many-redirects": _("The address redirects more than {most} times."),
    "sent-elsewhere": _("The host redirects to another one, to which nothing is sent."),
    "answer-broken": _("The answer broke off, or is not HTTP."),
    "answer-encoded": _("The answer uses an unsupported compression."),
    "answer-status": _("The host answers with status {status} instead of a file."),
}
HARVEST_SENTENCES = {
    "a-page": _("The address returns a web page, not a file. It may require signing in."),
    "not-a-table": _("The address does not return a file of this format."),
    "not-a-calendar": _("The address does not return a readable calendar."),
    "calendar-too-costly": _(
        "It has so many events, or events that recur so often, that reading it takes too long."
    ),
    "reading-stopped": _("Reading it stopped before its end."),
    "no-longer-manager": _("Whoever saved this last no longer manages instruments here: save it again."),
}
ROW_SENTENCES = {
    "no-name": _("it has no usable name or description"),
    "no-key": _("its key is empty"),
    "duplicate-key": _("its key {key} is already used on line {first}"),
    "key-comes-again": _("its key {key} is used again on line {again}"),
    "same-instrument": _("it is the same instrument as line {first}"),
    "merged-away": _("its record was merged into {into}, which keeps its own values"),
    "wrong-cells": _("its number of cells ({cells}) differs from that of the header ({columns})"),
    "cell-too-long": _("the cell of column {column} has {length} characters, {most} at most"),
    "formula-cell": _("the cell of column {column} is a formula: put its value there"),
    "error-cell": _("the cell in column {column} has a spreadsheet error"),
    "malformed-quotes": _("its quotation marks do not match"),
    "too-long": _("{field} has {length} characters, {most} at most"),
    "too-many-items": _("{field} has {items} entries, {most} at most"),
    "bad-value": _("{field} is not in the right format: “{value}”"),
    "schema": _("it does not fit the schema at {where}: {problem}"),
    "cyclic-relation": _("its relations form a circle: {through}"),
    "facility-row": _("it describes a facility, not an instrument"),
    "left-out": _("the mapping leaves it out: {because}"),
    "example-row": _("it is the example row of the template"),
    "undo-published": _("not undone: it is no longer a draft"),
    "undo-edited": _("not undone: it has been changed since the import"),
    "undo-used": _("not undone: it is used ({what})"),
    "undo-fields": _("not undone: {fields}, changed since the import or stored apart from the record"),
}

# Labels of the fields of a record, by name.
FIELD_LABELS = {
    "name": _("Name"),
    "name_zh": _("Name in Chinese"),
    "description": _("Description"),
    "description_zh": _("Description in Chinese"),
    "landing_page": _("Landing page"),
    "identifier": _("Persistent identifier"),
    "identifier_type": _("Kind of identifier"),
    "owners": pgettext_lazy("of an instrument", "Owner"),
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
    "norm_hours": _("Norm hours a year for this instrument"),
    "room": _("Room"),
    "facility": _("Facility"),
    "address": _("Address"),
    "contact_name": _("Contact name"),
    "contact_email": _("E-mail"),
    "contact_phone": _("Telephone"),
    "website": _("Website"),
    "opening_hours": _("Opening hours"),
}
# What becomes of a row of a table of capabilities, and its fields.
STATEMENT_RESULTS = {
    "added": _("new"),
    "changed": _("changed"),
    "unchanged": _("unchanged"),
    "refused": _("left out"),
}
STATEMENT_FIELDS = {
    "number": _("Inventory number"),
    "parameter": _("Parameter"),
    "minimum": _("Minimum"),
    "maximum": _("Maximum"),
    "unit": _("Unit"),
    "condition": _("Condition"),
}
# Reasons why a difference is not taken over.
KEPT = {
    "by-hand": _("kept: edited here by hand"),
    "published": _("kept: the instrument is published"),
    "not-understood": _("not understood: it goes into the description"),
    "unknown": _("not known: it is left out"),
    "unreadable": _("cannot be read: not imported"),
    "day-number": _("read as the day number of a spreadsheet"),
    "no-facility": _("not imported: the row names no facility"),
    "new-contact": _("becomes the contact of the new facility"),
    "of-facility": _("not imported: the facility has another"),
    "one-facility": _("not imported: one facility was chosen for all rows"),
}
APART = _("a facility of its own: the one named has another address")


def file_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Return the sentence that says why a file is refused."""
    template = str(FILE_SENTENCES.get(code, code))
    return template.format_map({"megabytes": MAX_BYTES // 1024**2, **numbers})


def row_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Return the sentence that says why a row is refused."""
    told = {"value": "", **numbers}  # rows of imports before 0.4 have no value
    if "field" in told:
        told["field"] = FIELD_LABELS.get(str(told["field"]), told["field"])
    if isinstance(names := told.get("fields"), list):
        told["fields"] = gettext(", ").join(str(FIELD_LABELS.get(name, name)) for name in names)
    sentence = str(ROW_SENTENCES.get(code, code)).format_map(told)
    if until := numbers.get("until"):
        run_on = gettext("; it runs on to line {until}, perhaps from a stray quotation mark")
        sentence += run_on.format(until=until)
    return sentence


def row_sentences(code: str, numbers: Mapping[str, object], more: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return the sentences that say why a row is refused, joined to one."""
    all_of_them = [(code, numbers), *((each["code"], each["numbers"]) for each in more)]
    return gettext("; ").join(row_sentence(*each) for each in all_of_them)


def harvest_sentence(code: str, numbers: Mapping[str, object]) -> str:
    """Return the sentence that says why fetching the file of a harvest failed."""
    template = (ADDRESS_SENTENCES | HARVEST_SENTENCES).get(code)
    return str(template).format_map(dict(numbers)) if template else file_sentence(code, numbers)


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    **FILE_SENTENCES,
    **ADDRESS_SENTENCES,
    **HARVEST_SENTENCES,
    "file-too-large": _("The file is too large: at most {most} kB."),
    "no-such-number": _("No instrument of yours has this inventory number."),
    "number-of-several": _("{n} instruments of yours have this inventory number."),
    "lacks-column": _("The table has no column {column}."),
    "not-a-term": _("{term} is no known term of this field."),
    "wrong-cells": ngettext_lazy(
        "The row has {cells} cell, the first line {columns}.",
        "The row has {cells} cells, the first line {columns}.",
        "cells",
    ),
    "cell-too-long": _("The cell of column {column} is too long: at most {most} characters."),
    "malformed-quotes": _("The quotation marks in this row do not match."),
    "error-cell": _("The cell in column {column} has a spreadsheet error."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "import.start": _("Instrument file uploaded for import"),
    "import.read_again": _("File of instruments read again"),
    "import.apply": _("Import of instruments started"),
    "import.done": _("Import of instruments completed"),
    "import.cancel": _("Import of instruments stopped"),
    "import.columns": _("Columns of an import chosen again"),
    "import.terms": _("Unknown values of an import decided"),
    "import.undo": _("Undoing an import started"),
    "import.undone": _("Import of instruments undone"),
    "import.capabilities": _("Capabilities of many instruments imported"),
    "import_term.forget": _("Remembered value forgotten"),
    "instrument.undo_import": _("Import of the instrument undone"),
    "facility.undo_import": _("Import of the facility undone"),
    "import_mapping.save": _("Column mapping saved"),
    "import_mapping.delete": _("Column mapping deleted"),
    "harvest.add": _("Harvest set up"),
    "harvest.change": _("Harvest changed"),
    "harvest.pause": _("Harvest paused"),
    "harvest.resume": _("Harvest resumed"),
    "harvest.fetch": _("Harvest run manually"),
    "harvest.delete": _("Harvest deleted"),
    "instrument.import": _("Instrument imported"),
}
