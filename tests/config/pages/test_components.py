"""The pieces that pages are made of, and the page that shows them."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db.models import TextChoices
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client

from tests.accounts.pages import page_of

PARTIALS = Path(configured.ROOT) / "config" / "templates" / "components"
STYLE = Path(configured.ROOT) / "config" / "static" / "css" / "commons.css"
# On every page anyway.
FRAME = {"bars", "brand", "looking", "navigation", "notices", "sidebar", "tools", "confirm", "errors"}


def test_the_page_shows_every_partial_by_its_name(client: Client, db: None) -> None:
    html = page_of(client.get("/components/"))
    shown = set(re.findall(r"components/([a-z_]+)\.html|component \"([a-z_]+)\"|{% (press) ", html))
    names = {name for pair in shown for name in pair if name}
    assert {path.stem for path in PARTIALS.glob("*.html")} - names <= FRAME


def test_outside_local_mode_there_is_no_such_page(client: Client, settings: Any, db: None) -> None:
    settings.LOCAL_MODE = False
    page_of(client.get("/components/"), 404)


def states() -> Iterator[tuple[str, str]]:
    """Each state that a row can have and a badge shows."""
    for model in apps.get_models():
        for name in ("State", "Publication", "Result"):
            kind = model.__dict__.get(name)
            if isinstance(kind, type) and issubclass(kind, TextChoices):
                yield from ((model.__name__, value) for value in kind.values)


def test_every_state_has_a_tone() -> None:
    css = STYLE.read_text("utf-8")
    listed = re.findall(r"\.state-([\w-]+)", css[: css.index("/* Buttons */")])
    assert len(listed) == len(set(listed))  # one tone each
    assert [found for found in states() if found[1] not in listed] == []


def rendered(source: str, **values: Any) -> str:
    return re.sub(r"\s+", " ", Template(source).render(Context(values))).strip()


def test_what_is_not_filled_is_the_body_and_parts_see_the_page() -> None:
    html = rendered(
        '{% component "card" title=name|upper id="t" %}'
        "{% fill foot %}<b>{{ name }}</b>{% endfill %}"
        "In {{ name }}{% endcomponent %}{{ title }}",
        name="a<b",
    )
    assert '<h2 class="card-title" id="t">A&lt;B</h2>' in html
    assert '<div class="card-body">In a&lt;b</div>' in html
    assert '<div class="card-footer"><b>a&lt;b</b></div>' in html
    assert html.endswith("</section>")  # the title was the card's only


def test_a_component_has_only_what_it_is_given() -> None:
    """A page's own `card` or `role` is not taken for the component's."""
    html = rendered('{% component "table" %}<tr></tr>{% endcomponent %}', card="c", role="r")
    assert 'class="c"' not in html and "role=" not in html


def test_a_table_has_its_columns_in_order_each_in_its_kind() -> None:
    html = rendered(
        '{% component "table" label=name by="id" classes="table-sm" card="card" %}'
        '{% columns "A" end=name num="C" %}'
        '{% fill head %}<th scope="col" class="w-1">D</th>{% endfill %}'
        '{% columns hidden="E" %}<tr><td>1</td></tr>'
        "{% fill foot %}{% if no %}<tr></tr>{% endif %}{% endfill %}{% endcomponent %}",
        name="a<b",
    )
    assert html.startswith('<div class="card"> <div class="table-responsive" tabindex="0"')
    assert 'role="group" aria-label="a&lt;b"' in html
    heads = re.search("<thead><tr>(.*?)</tr></thead>", html)
    assert heads and heads[1] == (
        '<th scope="col">A</th><th scope="col" class="text-end">a&lt;b</th>'
        '<th scope="col" class="num">C</th><th scope="col" class="w-1">D</th>'
        '<th scope="col"><span class="visually-hidden">E</span></th>'
    )
    assert '<table class="table card-table table-sm">' in html
    assert "<tbody><tr><td>1</td></tr></tbody>" in html and "tfoot" not in html


def test_a_part_filled_with_nothing_is_not_there() -> None:
    html = rendered(
        '{% component "header" title="T" %}{% fill more %}{% if no %}x{% endif %}{% endfill %}'
        "{% endcomponent %}"
    )
    assert "page-actions" not in html and "<details" not in html


@pytest.mark.parametrize("source", ["{% component %}", '{% component "card" title %}'])
def test_a_component_says_what_is_wrong_with_it(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        Template(source + "{% endcomponent %}")


@pytest.mark.parametrize(("measure", "text"), [("hours", "1.5"), ("money", "CNY 90.00"), ("sessions", "90")])
def test_a_value_of_flows_reads_as_what_they_measure(measure: str, text: str) -> None:
    flows = SimpleNamespace(measure=measure, currency="CNY")
    assert rendered("{{ 90|measured:flows }}", flows=flows) == text
