"""A hub in this process: the few answers of the hub's HTTP interface that a fetch needs, over files in memory."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Files = Mapping[str, bytes]
Repositories = Mapping[str, Mapping[str, Files]]
"""Repository (``models/org/name``) → revision, a branch or commit → path → bytes. A branch is an alias of a commit."""

API = re.compile(r"/api/(?P<repo>(?:models|datasets)/[^/]+/[^/]+)(?:/(?P<verb>revision|tree|paths-info)/(?P<rest>.+))?")
FILE = re.compile(r"/(?P<kind>datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


@contextmanager
def hub(repositories: Repositories, branches: Mapping[str, Mapping[str, str]], gated: str = "") -> Iterator[str]:
    """Serve repositories on this machine; its address.

    ``branches`` names each repository's commit by branch; ``gated`` is a repository whose files are refused.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self, form: str = "", body: bool = True) -> None:
            path = urlsplit(self.path).path
            status, headers, content = respond(path, form)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

    def respond(path: str, form: str) -> tuple[int, dict[str, str], bytes]:
        if api := API.fullmatch(path):
            return describe(api["repo"], api["verb"] or "revision", api["rest"] or "main", form)
        if file := FILE.fullmatch(path):
            kind = "datasets" if file["kind"] else "models"
            return content_of(f"{kind}/{file['repo']}", file["revision"], file["path"])
        return missing("EntryNotFound")

    def commit_of(repo: str, revision: str) -> str:
        return branches[repo].get(revision, revision)

    def describe(repo: str, verb: str, rest: str, form: str) -> tuple[int, dict[str, str], bytes]:
        revision, _, folder = rest.partition("/")
        if repo not in repositories:
            return missing("RepoNotFound")
        commit = commit_of(repo, unquote(revision))
        if commit not in repositories[repo]:
            return missing("RevisionNotFound")
        files = repositories[repo][commit]
        if verb == "revision":
            siblings = [{"rfilename": name} for name in files]
            return as_json({"id": repo.partition("/")[2], "sha": commit, "siblings": siblings, "tags": []})
        if verb == "tree":
            found = [entry(name, files) for name in tree(files) if not folder or name.startswith(f"{unquote(folder)}/")]
            return as_json(found) if found or not folder else missing("EntryNotFound")
        asked = parse_qs(form).get("paths", []) or json.loads(form or "{}").get("paths", [])
        return as_json([entry(name, files) for name in tree(files) if name in asked])

    def content_of(repo: str, revision: str, path: str) -> tuple[int, dict[str, str], bytes]:
        if repo not in repositories:
            return missing("RepoNotFound")
        commit, name = commit_of(repo, unquote(revision)), unquote(path)
        if repo == gated:
            return 403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to this model is restricted."}, b""
        if name not in repositories[repo][commit]:
            return missing("EntryNotFound", commit)
        content = repositories[repo][commit][name]
        return 200, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": commit}, content

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tree(files: Files) -> list[str]:
    """All files and the folders above them."""
    parts = {name.rsplit("/", up)[0] for name in files for up in range(name.count("/") + 1)}
    return sorted(parts)


def entry(name: str, files: Files) -> dict[str, Any]:
    """What the hub lists of a file or folder."""
    oid = hashlib.sha1(files.get(name, name.encode())).hexdigest()
    kind = {"type": "file", "size": len(files[name])} if name in files else {"type": "directory", "size": 0}
    return {**kind, "path": name, "oid": oid}


def as_json(value: Any) -> tuple[int, dict[str, str], bytes]:
    """An answer of the interface."""
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def missing(code: str, commit: str = "") -> tuple[int, dict[str, str], bytes]:
    """A 404 as the hub says it."""
    return 404, {"X-Error-Code": code, **({"X-Repo-Commit": commit} if commit else {})}, b""
