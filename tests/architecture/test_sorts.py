"""A column is sorted by what it shows: of every list the cells of its template are held against the
fields that its columns are sorted by."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import bookings
from bookings.record.views.lists import ListPage

TEMPLATES = Path(bookings.__file__).parent / "templates"
# Cells that name a thing and its moment, and are sorted by the moment.
MOMENTS = {
    ("bookings/charging/charges.html", "made"): "created_at",
    ("bookings/results/results.html", "start"): "reservation__start_at",
    ("bookings/usage/faults.html", "reported"): "created_at",
    ("bookings/needs/batches.html", "made"): "created_at",
    ("bookings/usage/sessions.html", "start"): "start_at",
}
# What filters show of a row: the field that comes first.
FILTERS = {"span": "start_at"}
SHOWN = re.compile(
    r"""\{\{\s*(?P<text>[\w.|]+)|with\ value=(?P<state>[\w.]+)|\{%\s*firstof\s+(?P<first>[\w.|]+)
    |\{%\s*person_link\s+(?P<person>[\w.|]+)
    |count\ \w+=(?P<count>[\w.|]+)|(?P<states>\{%\s*include\ "[\w/]*_state\.html")""",
    re.VERBOSE,
)
HIDDEN = re.compile(r'<label.*?</label>|[\w-]+="[^"]*"', re.DOTALL)  # and attributes


def listed_pages() -> dict[str, ListPage]:
    """The page of every list that is declared, by its template."""
    return {
        value.template: value
        for module in pkgutil.walk_packages(bookings.__path__, "bookings.")
        if ".views." in module.name
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, ListPage)
    }


def heads(template: str) -> list[str]:
    """The names of the columns of a list's table, as the template has them; none where it has no table."""
    found = re.search(r"{% columns ([a-z_ ]+) %}", source(template))
    return found[1].split() if found else []


def source(template: str) -> str:
    """The template, or the part of it with the table."""
    texts = [(TEMPLATES / template).read_text()]
    texts += [(TEMPLATES / name).read_text() for name in re.findall(r'include "(bookings/[^"]+)"', texts[0])]
    return next((text for text in texts if "{% columns" in text), texts[0])


def cells(template: str) -> list[str]:
    """The cells of the first row after the heads of the columns, as the template has them."""
    _, _, rows = source(template).partition("{% columns")
    row = rows.partition("<tr")[2].partition("</tr>")[0]
    return [cell.partition("</td>")[0] for cell in re.split(r"<td\b", row)[1:]]


def fields_shown(cell: str) -> list[str]:
    """The fields that a cell shows, in order; of a thing that is named, its name."""
    shown = []
    plain = HIDDEN.sub("", re.sub(r"\{%\s*url[^%]*%\}", "", cell))
    for match in SHOWN.finditer(plain):
        if match["states"]:
            shown.append("state")
            continue
        name, *filters = next(filter(None, match.groups())).split("|")
        field = name.rpartition(".")[2].removeprefix("shown_").removeprefix("get_")
        shown.append(FILTERS.get(filters[0], field) if filters else field)
    return shown


LISTED = listed_pages()
COLUMNS = [
    (name, column)
    for name, page in sorted(LISTED.items())
    for column in heads(name)
    if column in page.listing.sorts
]


@pytest.mark.parametrize(("template", "column"), COLUMNS)
def test_a_column_is_sorted_by_what_it_shows(template: str, column: str) -> None:
    field = LISTED[template].listing.sorts[column]
    place = heads(template).index(column)
    shown = fields_shown(cells(template)[place])
    if (template, column) in MOMENTS:
        assert field == MOMENTS[template, column]
        assert field.rpartition("__")[2] in [*shown, "start_at"]
        return
    *above, name = field.split("__")
    # A person or an organisation is shown by its name.
    expected = {name, above[-1] if above and name == "name" else name}
    assert shown[0].removesuffix("_display") in expected, (field, shown)


def test_every_list_is_looked_at() -> None:
    assert len(LISTED) >= 21
