"""The classifier is trained and asked as a cell is, and is one of scikit-learn's."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tiny_classifiers import MODEL, TRAINING, tiny_model

from peft_pipelines import PeftClassifier
from peft_pipelines.config.errors import ConfigError

__all__ = ["tiny_model"]

TEXTS = [f"{'sun' if number % 2 else 'rain'} {number}" for number in range(24)]
LABELS = ["good" if number % 2 else "bad" for number in range(24)]


def classifier(method: Any = "bitfit", **parameters: Any) -> PeftClassifier:
    return PeftClassifier(method, MODEL, **{"training": TRAINING, **parameters})


@pytest.fixture(scope="module")
def fitted(tiny_model: None) -> PeftClassifier:
    return classifier().fit(TEXTS, LABELS)


def test_it_learns_what_the_texts_say() -> None:
    training = {"epochs": 20, "batch_size": 8, "evaluations": 4, "learning_rate": 0.03}
    words = {"good": "g", "bad": "b"}
    learnt = classifier("lora", training=training, label_words=words, instruction="?").fit(TEXTS, LABELS)
    assert learnt.score(TEXTS, LABELS) > 0.9
    assert learnt.trained_.record["steps"] == 20 * 3 and learnt.trained_.record["rows"] == {
        "train": 22,
        "validation": 2,
    }


def test_probabilities_are_those_of_the_labels(fitted: PeftClassifier) -> None:
    found = fitted.predict_proba(TEXTS)
    assert fitted.classes_.tolist() == ["bad", "good"] and found.shape == (24, 2)
    assert np.allclose(found.sum(axis=1), 1) and (found > 0).all()
    assert fitted.predict(TEXTS).tolist() == [fitted.classes_[place] for place in found.argmax(axis=1)]


def test_texts_come_in_lists_arrays_series_and_single_columns(fitted: PeftClassifier) -> None:
    expected = fitted.predict_proba(TEXTS)
    frame = pd.DataFrame({"text": TEXTS})
    for given in (tuple(TEXTS), np.array(TEXTS), np.array(TEXTS)[:, None], frame, frame["text"]):
        assert (fitted.predict_proba(given) == expected).all()


def test_the_prompt_has_the_instruction_and_the_words() -> None:
    words = {0: "rainy", 1: "sunny"}
    asked = classifier("zero_shot", label_words=words, instruction="Which weather?")
    task = asked.fit(TEXTS, [number % 2 for number in range(24)]).trained_.task
    assert task.prompt("Text: x") == "Which weather?\n\nText: x" and task.label_words == ("rainy", "sunny")
    assert task.max_new_tokens == len("rainy") + 1
    assert asked.classes_.tolist() == [0, 1] and set(asked.predict(TEXTS)) <= {0, 1}
    plain = classifier("zero_shot").fit(TEXTS, LABELS).trained_.task.instruction
    assert plain == "Classify the following text. Answer with one of these: bad, good."


def test_the_same_seed_gives_the_same_bits() -> None:
    seeds = [0, 0, 1, np.random.RandomState(5), np.random.RandomState(5)]
    first, again, other, drawn, redrawn = (
        clone(classifier("lora")).set_params(random_state=seed).fit(TEXTS, LABELS).trained_.files for seed in seeds
    )
    assert first == again != other and first != drawn == redrawn


def test_shots_come_from_the_training_texts() -> None:
    few = classifier("few_shot").fit(TEXTS, LABELS)
    assert len(few.trained_.shots) == 4 and few.predict_proba(TEXTS[:2]).shape == (2, 2)


def test_a_copy_answers_alike_and_holds_no_model(fitted: PeftClassifier) -> None:
    expected = fitted.predict_proba(TEXTS)
    copied = copy.deepcopy(fitted)
    assert "answerer" not in vars(copied.trained_)
    assert (copied.predict_proba(TEXTS) == expected).all()


def test_it_works_in_searches_and_pipelines() -> None:
    search = GridSearchCV(classifier(), {"method": ["bitfit", "zero_shot"]}, cv=2).fit(TEXTS, LABELS)
    assert search.best_estimator_.predict(TEXTS[:3]).shape == (3,) and len(search.cv_results_["params"]) == 2
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    found = cross_val_predict(make_pipeline(lower, classifier("zero_shot")), TEXTS, LABELS, cv=2)
    assert set(found) <= {"bad", "good"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"method": "loar"}, "PeftClassifier: unknown method 'loar', did you mean 'lora'? Allowed: "),
        ({"method": 3}, "PeftClassifier, method: must be the name of a row or a dictionary, got 3"),
        ({"model": "tiny"}, "PeftClassifier: unknown model 'tiny'"),
        ({"model": {**MODEL, "dtyp": 1}}, "model 'own': unknown field 'dtyp', did you mean 'dtype'"),
        (
            {"method": "mpt_multitask"},
            "method 'mpt_multitask', train_on: must be left out here, where there is one task",
        ),
        ({"training": {"epoch": 1}}, "PeftClassifier, training: unknown field 'epoch', did you mean 'epochs'"),
        (
            {"validation_fraction": 1.0},
            "PeftClassifier, validation_fraction: must be a number between 0 and 1",
        ),
        (
            {"label_words": {"bad": "x"}},
            "PeftClassifier, label_words: must have a word for each class",
        ),
        ({"label_words": {"bad": "x", "good": "x "}}, "PeftClassifier, labels: two labels share a word but for white"),
        ({"instruction": " "}, "PeftClassifier, instruction: must hold text, got ' '"),
        ({"project": "nowhere"}, "project: must be a folder with conf/base/catalog.yml in it, got '"),
    ],
)
def test_a_parameter_that_is_wrong_is_told_in_one_line(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        classifier().set_params(**changed).fit(TEXTS, LABELS)
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)


def test_labels_must_be_there_and_two() -> None:
    with pytest.raises(ValueError, match="at least 2 classes, got 1 class"):
        classifier().fit(TEXTS, ["good"] * 24)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier().fit(TEXTS, LABELS[:-1])
    with pytest.raises(NotFittedError):
        classifier().predict(TEXTS)


@pytest.mark.parametrize(("kind", "classes"), [("Int64", [0, 1]), ("boolean", [False, True]), ("category", [0, 1])])
def test_labels_of_pandas_are_its_own_values(kind: str, classes: list[object]) -> None:
    found = classifier().fit(TEXTS, pd.Series([number % 2 for number in range(24)], dtype=kind))
    assert str(found.classes_.tolist()) == str(classes)
    assert list(found.trained_.task.label_words) == [str(one) for one in classes]


def test_weights_that_have_changed_are_told(fitted: PeftClassifier) -> None:
    copied = copy.deepcopy(fitted)
    object.__setattr__(copied.trained_, "base_checksum", 1)
    with pytest.raises(
        ConfigError, match=r"^model 'own': its weights must be those that the classifier was trained on"
    ):
        copied.predict(TEXTS)
