"""A project with the embedded samples of one task, in which the embedded model's row leads to a tiny model."""

from pathlib import Path

import base_rows
import pytest
import tiny
import yaml
from project import ROOT, Project, project

__all__ = ["project", "with_samples"]


@pytest.fixture
def with_samples(project: Project) -> Project:
    """The project with the examples of one task, and the tiny model under the name of the embedded one.

    Each label is one token of its vocabulary, so that answers are as short as those of the real one.
    """
    model, tokenizer = tiny.fresh("llama"), tiny.tokenizer(tiny.CHATML)
    tokenizer.add_tokens(["negative", "positive", "billing", "technical", "sales"])
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    for part in (model, tokenizer):
        part.save_pretrained(project.folder / "model")
    path = project.folder / base_rows.PARAMETERS.relative_to(ROOT) / "models.yml"
    rows = yaml.safe_load(path.read_text())
    (name,) = (name for name, row in rows["models"].items() if "package" in row)
    rows["models"][name] = project.parameters["models"]["tiny"]
    path.write_text(yaml.safe_dump(rows))
    samples = Path("data/01_raw/samples/sst2")
    (project.folder / samples).mkdir(parents=True)
    for path in (ROOT / samples).iterdir():  # a third of them is enough
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (project.folder / samples / path.name).write_text("".join(lines[::3]), encoding="utf-8")
    return project
