"""A page's elements, for tests that look at them without a browser."""

import json
from html.parser import HTMLParser
from typing import Any

from peft_pipelines.reporting.page.packed import unpacked


class Page(HTMLParser):
    """A page taken apart: elements with their attributes and the text right in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found[-1][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attributes, "".join(texts)) for name, attributes, texts in self.found if name == tag]

    def script(self, name: str) -> str:
        return next(text for attributes, text in self.all("script") if attributes.get("id") == name)

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.script("data"))

    @property
    def details(self) -> dict[str, Any]:
        return unpacked(self.script("details"))

    @property
    def cells(self) -> list[str]:
        return [cell for attributes, _ in self.all("button") for cell in attributes.get("data-cells", "").split()]

    @property
    def words(self) -> str:
        kept = [text for tag, _, texts in self.found if tag not in ("script", "style") for text in texts]
        return " ".join(" ".join(kept).split())
