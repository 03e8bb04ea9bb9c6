"""The page of a task of one's own, below Grid: a file of rows, what is asked of them, and ``kedro add-task``."""

import shlex
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from peft_pipelines.board.asking import Asking
from peft_pipelines.board.pages import page
from peft_pipelines.board.project import Project
from peft_pipelines.board.uploads import Uploads, looked_at, receive

Text = Annotated[str, Field(max_length=20_000)]


class OwnTask(BaseModel):
    """What the page sends; an empty text is no option of the command."""

    model_config = ConfigDict(strict=True, extra="forbid")

    file: Text
    shown: Text
    name: Text
    input: Text
    label: Text = ""
    output: Text = ""
    instruction: Text = ""
    group: Text = ""
    metric: Text = ""
    sep: Text = ""
    words: dict[str, Text] = {}
    write: bool = False

    def command(self, file: str) -> list[str]:
        """Return the words behind ``kedro``. What was typed stands behind an equals sign, so that none is an option."""
        texts = {
            name: getattr(self, name) for name in ("input", "label", "output", "instruction", "group", "metric", "sep")
        }
        options = [f"--{name}={text}" for name, text in texts.items() if text]
        words = [f"--word={value}={word}" for value, word in self.words.items() if word.strip()]
        return ["add-task", *options, *words, *([] if self.write else ["--dry-run"]), "--", self.name, file]


def router(project: Project) -> APIRouter:
    """Return the routes of the page."""
    routes, uploads = APIRouter(prefix="/grid/own"), Uploads()

    @routes.get("")
    def show(env: str | None = None) -> HTMLResponse:
        return page("grid", project, project.environment(env), template="own_task")

    @routes.post("/file")
    async def file(request: Request, name: str) -> dict[str, Any]:
        path = uploads.place(name)
        await receive(request.stream(), path)
        found = await run_in_threadpool(looked_at, path, name)
        return {"file": path.name, "columns": found.columns, "count": found.count, "rows": found.rows}

    @routes.post("/task")
    def task(asked: OwnTask) -> dict[str, Any]:
        path = uploads.path(asked.file)
        said = Asking(project.root, asked.command(str(path))).answer()
        return {"said": said, "command": f"kedro {shlex.join(asked.command(asked.shown))}", "env": asked.name}

    return routes
