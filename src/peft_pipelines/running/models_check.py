"""Rows tried on models without weights: prompts have room, methods can be attached and trained, and take memory."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from peft_pipelines.config import MethodSpec, ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model, enough_memory, gate
from peft_pipelines.running.room import check_labels_fit, check_positions, check_room, check_vocabulary
from peft_pipelines.training import optimizers
from peft_pipelines.training.loss import loss_of
from peft_pipelines.training.shortcuts import Shortcuts

Limit = tuple[TaskSpec, ModelSpec, int, MethodSpec]
"""A task, a model and a method that meet, with the tokens that a row may have there."""
Attachment = tuple[MethodSpec, ModelSpec, TrainingSpec]
"""A method and a model that meet, with the run's training arguments."""


def try_models(
    models: Iterable[ModelSpec],
    folders: Mapping[str, Path],
    limits: Iterable[Limit],
    attached: Iterable[Attachment],
) -> list[enough_memory.Need]:
    """Read the tokenizers, and try on them and on models without weights what meets them.

    Args:
        models: the rows of the models.
        folders: where each lies, by its name.
        limits: what is asked of the tokenizers.
        attached: what is attached to the models.

    Returns:
        What the models and their trainings take of memory at least.

    Raises:
        ConfigError: the first error that is found.
    """
    prompters = {model.name: prompter_of(model, folders[model.name]) for model in models}
    for task, model, limit, method in limits:
        check_room(task, replace(prompters[model.name], max_length=limit))
        check_labels_fit(task, model.name, prompters[model.name])
        check_positions(task, method, limit, gate.opened(model, folders[model.name]).config)
    skeletons: dict[str, PreTrainedModel] = {}
    weights: dict[str, enough_memory.Need] = {}
    trainings: list[enough_memory.Need] = []
    for method, model, training_args in attached:
        check_precision(method, model)
        if model.name not in skeletons:
            skeletons[model.name] = base_model.skeleton(model, folders[model.name])
            weights[model.name] = enough_memory.of_weights(model, skeletons[model.name])
        trained = check_method(method, skeletons[model.name], training_args)
        if trained:
            trainings.append(enough_memory.of_training(method, weights[model.name], trained))
    return [*weights.values(), *trainings]


def prompter_of(model: ModelSpec, folder: Path) -> Prompter:
    """Return the prompter of the model in a folder, without a limit of length.

    Raises:
        ConfigError: the folder is not a model's, its tokenizer cannot be read, has no chat template where the row
            says that it has, or ends no answer.
    """
    where = f"model '{model.name}', folder '{folder}'"
    prompter = Prompter.of(model, gate.tokenizer(model, folder), sys.maxsize)
    try:
        if model.chat_template:
            prompter.template.check()
        prompter.end_of_turn()
        check_vocabulary(prompter, gate.opened(model, folder).config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return prompter


def check_precision(method: MethodSpec, model: ModelSpec) -> None:
    """Raise ConfigError where a method would be trained in float16: gradients vanish in it, and nothing scales them."""
    if method.trains and model.dtype == "float16":
        raise ConfigError(
            f"model '{model.name}', dtype: must be bfloat16 or float32 where method '{method.name}' is trained, "
            "got float16: nothing scales its small gradients"
        )


def check_method(method: MethodSpec, skeleton: PreTrainedModel, training_args: TrainingSpec) -> int:
    """Return the least bytes of what the method would train.

    Raises:
        ConfigError: it cannot be attached to the model, or not be trained with these arguments.
    """
    training_args = training_args.overridden(method)
    loss_of(training_args, method)
    optimizers.check(method)
    trained = providers.check(method, base_model.clone(skeleton))
    if training_args.gradient_checkpointing or optimizers.is_picky(method):
        with torch.device("meta"):
            attached = providers.attach(base_model.clone(skeleton), method, seed=0)
        Shortcuts.of(attached, training_args)
        optimizers.build(attached, training_args, method)
    return trained
