"""A classifier of texts for scikit-learn: a method on a model, trained on labelled texts."""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, check_random_state, column_or_1d

from peft_pipelines.api import saved_classifier
from peft_pipelines.api.arguments import check
from peft_pipelines.api.given_texts import check_labels, texts_of
from peft_pipelines.api.opened_project import place
from peft_pipelines.api.project_rows import WHERE, Row, Rows, rows_of
from peft_pipelines.config import TaskSpec, fill, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import quiet, threads

_TASK: Final = Path(__file__).with_name("classifier.yml")
_MOST: Final = 2**31


class PeftClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A language model, tuned by a method, that gives one of several labels to a text.

    It is trained and asked as a cell of a grid is: by the same prompts, training, validation and likelihoods.

    Args:
        method: the name of a method's row, or a row as a dictionary.
        model: the name of a model's row, or a row as a dictionary.
        instruction: what stands before each text; None for a plain one that lists the labels.
        label_words: the word that the model answers for each label; None for the labels themselves, as text.
        training: training arguments in place of the project's and the method's own, such as ``{"epochs": 3}``.
        validation_fraction: the share of the texts that is held out to choose the best step by.
        random_state: the seed of the training; a generator or None draws one.
        project: the folder of the project whose rows and downloaded models are used; None for the one around the
            current folder, and outside of all projects for the rows of the package and the user's cache.

    Attributes:
        classes_: the labels, sorted.
        trained_: the trained method.

    >>> classifier = PeftClassifier("lora", "smollm2_135m", training={"epochs": 3})      # doctest: +SKIP
    >>> classifier.fit(["a great film", "a long one"], ["good", "bad"])                  # doctest: +SKIP
    >>> classifier.predict(["a lovely evening"])                                         # doctest: +SKIP
    array(['good'], dtype='<U4')
    """

    def __init__(
        self,
        method: Row = "lora",
        model: Row = "smollm2_135m",
        *,
        instruction: str | None = None,
        label_words: Mapping[Any, str] | None = None,
        training: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        random_state: Any = 0,
        project: str | PathLike[str] | None = None,
    ) -> None:
        self.method = method
        self.model = model
        self.instruction = instruction
        self.label_words = label_words
        self.training = training
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.project = project

    def fit(self, X: Any, y: Any) -> "PeftClassifier":
        """Train the method on texts and their labels.

        Args:
            X: the texts: a list, an array or a series of them, or a table of one column.
            y: the label of each, of any type that scikit-learn takes, all of one.

        Raises:
            ConfigError: a row is not as it must be. It is a ValueError.
            ValueError: X holds no texts, y has one class only or lacks a label, or they differ in length.
        """
        check(WHERE, method=self.method, model=self.model, label_words=self.label_words, training=self.training)
        fraction, seed, project = self.validation_fraction, self.random_state, self.project
        check(WHERE, validation_fraction=fraction, random_state=seed, project=project)
        texts = texts_of(X)
        check_consistent_length(texts, y)
        check_labels(y)
        check_classification_targets(y)
        plain = np.asarray(y)  # of pandas' own whole numbers and truth values scikit-learn would make floats
        classes, labels = np.unique(column_or_1d(plain, warn=True), return_inverse=True)
        task = self._task(classes)
        quiet.silence()
        rows = self._sampled(rows_of(self.project, self.method, self.model, self.training))
        from peft_pipelines.api.text_training import train_texts  # noqa: PLC0415  (loads torch, once its log is quiet)

        with threads.limited():
            self.trained_ = train_texts(rows, task, texts, labels.tolist(), self._seed())
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> "np.ndarray[Any, Any]":
        """Return the likeliest label of each text: (texts,)."""
        found = self.predict_proba(X)
        return np.asarray(self.classes_[found.argmax(axis=1)])

    def predict_proba(self, X: Any) -> "np.ndarray[Any, Any]":
        """Return how likely each label of each text is among the labels: (texts, classes); rows sum to 1.

        The last bits depend on the texts that are asked together.
        """
        check_is_fitted(self)
        with threads.limited():
            logprobs = self.trained_.label_logprobs(texts_of(X))
        weights = np.exp(logprobs - logprobs.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the fitted classifier into a folder: JSON and safetensors, as a whole or not at all.

        The base model's weights are not in it, and neither is the project.

        Args:
            folder: a new folder, an empty one, or one that holds a saved classifier, which is replaced.

        Raises:
            ConfigError: the folder holds something else, or a parameter or label is of no type that JSON has.
            NotFittedError: it has not been fitted.
        """
        check(WHERE, folder=folder)
        check_is_fitted(self)
        saved_classifier.write(place(folder).resolve(), self.get_params(deep=False), self.classes_, self.trained_)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, project: str | PathLike[str] | None = None) -> "PeftClassifier":
        """Return the classifier that ``save`` has written, with the same predictions and probabilities.

        Args:
            folder: the folder.
            project: the project whose downloaded models are used, as for the classifier itself.

        Raises:
            ConfigError: no classifier is there, a file of it is gone or is not as it was saved, or the base model's
                weights are not those that it was trained on.
        """
        check(WHERE, folder=folder, project=project)
        with threads.limited():
            saved = saved_classifier.read(place(folder).resolve(), project)
        found = cls(**saved.parameters, project=project)
        found.classes_, found.trained_ = saved.classes, saved.trained
        return found

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn must know of it: it takes texts in one dimension."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _sampled(self, rows: Rows) -> Rows:
        """The rows with all texts to train on but those that are held out."""
        update = {"validation_share": float(self.validation_fraction), "train_rows": None, "train_unit": "example"}
        return replace(rows, sampling=rows.sampling.model_copy(update=update))

    def _seed(self) -> int:
        """A whole number as it is, as the seed of a cell; else one that is drawn."""
        given = self.random_state
        return int(given) if isinstance(given, int | np.integer) else int(check_random_state(given).randint(_MOST))

    def _task(self, classes: "np.ndarray[Any, Any]") -> TaskSpec:
        """The row of the task."""
        if len(classes) < 2:  # noqa: PLR2004  (what there is to tell apart)
            raise ValueError(f"y must have at least 2 classes, got {len(classes)} class")
        words = self.label_words if self.label_words is not None else {one: str(one) for one in classes.tolist()}
        for one in classes.tolist():
            if one not in words:
                raise ConfigError(f"{WHERE}, label_words: must have a word for each class, got none for {one!r:.80}")
        labels = {number: words[one] for number, one in enumerate(classes.tolist())}
        row = yaml.safe_load(_TASK.read_text(encoding="utf-8"))
        plain = fill(row["instruction"], {"labels": ", ".join(map(str, labels.values()))})
        asked = plain if self.instruction is None else self.instruction
        return parse(TaskSpec, WHERE, {**row, "name": "texts", "labels": labels, "instruction": asked})
