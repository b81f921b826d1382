"""A reader of pages: what a form on a page would send, and what the page says."""

import re
from html import unescape
from html.parser import HTMLParser


class Page:
    """The text of an answer, and its forms with their values as a browser would send them."""

    def __init__(self, response):
        self.response = response
        self.html = response.content.decode()
        body = re.sub(r"<(script|style)\b.*?</\1>", " ", self.html, flags=re.S)
        self.text = " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
        parser = _Forms()
        parser.feed(self.html)
        self.forms = parser.forms

    def form(self, action):
        """The values of the form whose action ends so."""
        found = [form for form in self.forms if form["action"].removesuffix("?").endswith(action)]
        assert found, (action, [form["action"] for form in self.forms])
        return dict(found[-1]["values"])


class _Forms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.now = [], None
        self.select = self.area = None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.now = {"action": given.get("action") or "", "values": {}}
            self.forms.append(self.now)
        if self.now is None:
            return
        values = self.now["values"]
        name = given.get("name")
        if tag == "input" and name:
            if given.get("type") in {"checkbox", "radio"}:
                if "checked" in given:
                    self._add(name, given.get("value", "on"))
            elif given.get("type") not in {"submit", "file"}:
                self._add(name, given.get("value", ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select:
            if "selected" in given or self.select not in values:
                values[self.select] = given.get("value", "")
        elif tag == "textarea":
            self.area = name
            values[name] = ""

    def _add(self, name, value):
        values = self.now["values"]
        if name in values and values[name] != "":
            held = values[name] if isinstance(values[name], list) else [values[name]]
            values[name] = [*held, value]
        else:
            values[name] = value

    def handle_data(self, data):
        if self.area and self.now:
            self.now["values"][self.area] += data.lstrip("\n")

    def handle_endtag(self, tag):
        if tag == "form":
            self.now = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None
