"""Render what a page repeats, such as a card of the catalogue, from a stencil: a template that is rendered
once for each of its forms, with gaps where texts will stand.

Two cards of the same form (a price by the hour, a free time, no voucher) differ in their texts alone. So the
nodes of the template are walked once per form and language, and each card joins what is between the gaps
with its own texts (docs/decisions/0006-prepared.md). What is kept holds no text of anybody.
"""

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, Never
from uuid import UUID

from django.conf import settings
from django.template.loader import get_template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

MOST_FORMS = 2048
PK = UUID("00000000-0000-0000-0000-0000000067a9")  # in place of `pk`, which addresses take as an id
_GAP = re.compile(f"\ue000(\\w+)\ue001|{PK}")  # letters for private use: nothing escapes or translates them


class Gap(str):
    """The place of a text. A stencil must not depend on a text, so asking whether there is one fails."""

    def __bool__(self) -> Never:
        raise TypeError(f"{self}: what a stencil decides by belongs to its form")


def fill(template: str, form: Mapping[str, Hashable], texts: Mapping[str, Any]) -> SafeString:
    """Return the template filled with texts, which are escaped unless they are safe. `form`: all that it
    decides by, of few different values and never what somebody has written; it may hold `PK` where the
    template compares `pk`. The template knows nothing else of the page: no request, no processors."""
    cut = _cut.__wrapped__ if settings.DEBUG else _cut  # a saved template is seen at once
    parts = list(cut(template, tuple(form.items()), tuple(texts), get_language()))
    for place in range(1, len(parts), 2):
        parts[place] = conditional_escape(texts[parts[place]])
    return mark_safe("".join(parts))  # noqa: S308  # the template's own text, and what is escaped above


@lru_cache(MOST_FORMS)
def _cut(
    template: str, form: tuple[tuple[str, Any], ...], texts: tuple[str, ...], language: str
) -> tuple[str, ...]:
    """Return the parts of a template between its gaps, each followed by the name of the text that comes
    there."""
    gaps = {name: PK if name == "pk" else Gap(f"\ue000{name}\ue001") for name in texts}
    parts = _GAP.split(get_template(template).render(gaps | dict(form)))
    parts[1::2] = [name or "pk" for name in parts[1::2]]
    return tuple(parts)
