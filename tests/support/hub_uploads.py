"""A hub in this process that takes files: what a client asks of it is kept, and nothing leaves the machine."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

LARGE = (".safetensors", ".gguf")
"""Files that the client sends apart from the commit."""


@dataclass
class Uploads:
    """What the hub was asked, and what it holds.

    Attributes:
        address: of the hub.
        asked: method and path of each request, in order.
        tokens: what each request said of its sender.
        private: by repository, whether it is private; more may be put there before.
        files: by repository and path, what was sent.
        refuses: a status that is answered to every request, 0 for none.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    private: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    refuses: int = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], Any]:
        """The answer to a request: status, headers, and what is sent as JSON."""
        name = "/".join(path.removeprefix("/api/models").split("/")[1:3]).removesuffix(".git")
        if self.refuses:
            return self.refuses, {"X-Error-Message": "You may not do this."}, {"error": "You may not do this."}
        if method == "GET" and name not in self.private:
            return 404, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository not found"}
        return 200, {}, self._done(method, path, name, body)

    def _done(self, method: str, path: str, name: str, body: bytes) -> Any:
        """What comes of a request that is allowed."""
        end = path.removesuffix("/main").rpartition("/")[2]
        if end == "create":
            return self._create(json.loads(body))
        if method == "PUT":
            self.blobs[end] = body
        if end == "batch":
            found = [{**one, "actions": self._upload(one["oid"])} for one in json.loads(body)["objects"]]
            return {"transfer": "basic", "objects": found}
        if end == "preupload":
            names = [one["path"] for one in json.loads(body)["files"]]
            modes = {one: "lfs" if one.endswith(LARGE) else "regular" for one in names}
            return {"files": [{"path": one, "uploadMode": modes[one], "shouldIgnore": False} for one in names]}
        if end == "commit":
            self._commit(name, [json.loads(line) for line in body.splitlines()])
            return {"commitUrl": f"{self.address}/{name}/commit/1a2b", "commitOid": "1a2b"}
        return {"id": name, "private": self.private.get(name), "siblings": [], "tags": []}

    def _create(self, asked: dict[str, Any]) -> Any:
        name = f"{asked['organization']}/{asked['name']}"
        self.private.setdefault(name, asked["private"])
        return {"url": f"{self.address}/{name}"}

    def _upload(self, oid: str) -> dict[str, Any]:
        return {"upload": {"href": f"{self.address}/put/{oid}", "header": {}}}

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files.setdefault(name, {})[value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "lfsFile":
                self.files.setdefault(name, {})[value["path"]] = self.blobs[value["oid"]]


@contextmanager
def taking_hub() -> Iterator[Uploads]:
    """Serve such a hub on this machine."""
    found = Uploads()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            found.asked.append(f"{self.command} {path}")
            found.tokens.add(self.headers.get("Authorization", ""))
            status, headers, value = found.answer(self.command, path, body)
            content = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _handle

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
