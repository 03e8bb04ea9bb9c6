"""Hooks of ``mkdocs build``: pages lie as in the repository, so that each link works in both places.

The site holds the Markdown pages, one page of reference a package, and the other files that pages link to. A link to a
module of the package becomes a link into the reference, with strict checks of its own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
SOURCES = "src/"
PACKAGE = f"{SOURCES}peft_pipelines"
PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
REMOTE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\"' >]+")
DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
TOP = ("hooks", "pipeline_registry", "settings")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The site's files under their paths in the repository; files of the theme and of plugins stay as they are."""
    pages = sorted(path.relative_to(ROOT).as_posix() for pattern in PAGES for path in ROOT.glob(pattern))
    linked = sorted({target for page in pages for target in _linked(page) if not target.endswith(".md")})
    own = [File.generated(config, path, abs_src_path=str(ROOT / path)) for path in [*pages, *linked]]
    made = [File.generated(config, path, content=text) for path, text in reference().items()]
    theme = [file for file in files if file.src_dir != config.docs_dir]
    return Files([*theme, *own, *made])


def reference() -> dict[str, str]:
    """The pages of the reference by path: one a package, and one for the modules beside the packages."""
    packages = sorted(path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py"))
    pages = {name: f"# {name}\n\n::: peft_pipelines.{name}\n" for name in packages}
    top = "".join(f"::: peft_pipelines.{name}\n\n" for name in TOP)
    return {
        f"docs/reference/{name}.md": text for name, text in {**pages, "top": f"# Hooks and settings\n\n{top}"}.items()
    }


def _linked(page: str) -> Iterator[str]:
    """The files of the repository that a page links to, but for the package's modules."""
    for _, _, target, _ in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        path = normpath(f"{page}/../{target}")
        if (ROOT / path).is_file() and not path.startswith(SOURCES):
            yield path


def on_page_markdown(markdown: str, page: Page, **rest: Any) -> str:
    """A page with its links to modules and their functions led into the reference."""
    return LINK.sub(lambda link: into_reference(link, page.file.src_uri), markdown)


def into_reference(link: re.Match[str], page: str) -> str:
    """The link as it is, or as a reference to a module or to the name in its text."""
    path = normpath(f"{page}/../{link[3]}")
    if not path.startswith(f"{PACKAGE}/"):
        return link[0]
    module = path.removeprefix(SOURCES).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    name = re.fullmatch(r"`([\w.]+)`", link[2])
    return f"[{link[2]}][{module}{'.' + name[1] if name and not name[1].startswith('_') else ''}]"


def on_post_page(output: str, page: Page, **rest: Any) -> str:
    """The finished page, refused if a browser would load a part of it from the network."""
    remote = REMOTE.search(output)
    if remote:
        raise PluginError(f"{page.file.src_uri}: would be loaded from the network: {remote[0]}")
    return output


class Doctests(griffe.Extension):
    """Doctests as blocks of code; as they stand, Markdown takes ``>>>`` for quotations and ``[…][…]`` for links."""

    def on_object(self, *, obj: griffe.Object, **rest: Any) -> None:
        """Fence the doctests in an object's docstring."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```python\n\g<0>\n```", obj.docstring.value)
