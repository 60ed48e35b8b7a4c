"""A page as the elements that a browser would see."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "input", "br", "link"}


@dataclass
class Element:
    tag: str
    attributes: dict
    inside: tuple  # the tags around it
    said: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(self.said)


@dataclass
class Page(HTMLParser):
    """All elements in order; `of` finds them by tag."""

    source: str
    elements: list = field(default_factory=list)
    open: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert not self.open, f"never closed: {[each.tag for each in self.open]}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        element = Element(tag, dict(attrs), tuple(each.tag for each in self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, f"{tag} closes what it did not open"

    def handle_data(self, data):
        for each in self.open:
            each.said.append(data)

    def of(self, *tags):
        return [each for each in self.elements if each.tag in tags]

    def classed(self, name):
        return [e for e in self.elements if name in (e.attributes.get("class") or "").split()]

    def plots(self):
        """What the figures hand to plotly."""
        scripts = [e for e in self.of("script") if e.attributes.get("type") == "application/json"]
        return [json.loads(each.text) for each in scripts]
