"""What the page Method sends: the fields that it shows, each with its text or another one."""

from peft_pipelines.board import method_fields
from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.method_form import MethodForm
from peft_pipelines.board.method_subject import Subject
from peft_pipelines.board.project import Project

SAMPLES = {"int": "4", "float": "0.5", "bool": "true", "text": "relu", "list": "[1]", "map": "{}"}


def texts_of(subject: Subject) -> dict[str, dict[str, str]]:
    """The texts of the page as it is loaded; fields that cannot be changed are sent by no form."""
    return {
        section: {one["name"]: one["text"] for name in ("given", "left") for one in groups[name]}
        for section, groups in method_fields.shown(subject).items()
    }


def form_of(project: Project, env: str, subject: Subject, new: str = "", **texts: str) -> MethodForm:
    """A form of a subject with some texts in place of those of the page, by names such as ``config__r``."""
    found = texts_of(subject)
    for name, text in texts.items():
        section, _, field = name.partition("__")
        found[section][field] = text
    return MethodForm(
        env=env,
        name=env,
        seen=files_of(project, env).seen,
        row=subject.name,
        provider=subject.provider,
        type=subject.type,
        new=new,
        texts=found,
    )


def required(subject: Subject) -> dict[str, str]:
    """Texts for what a new row of a type must give, for ``form_of``."""
    fields = {field.name: field.kind for field in subject.fields["config"] if field.required and field.settable}
    single = {name: kind.options[0] if kind.options else kind for name, kind in fields.items()}
    given = {
        f"config__{name}": kind.choices[0] if kind.choices else SAMPLES[kind.name] for name, kind in single.items()
    }
    return {"row__family": "adapter", "row__citation": "someone 2026", **given}
