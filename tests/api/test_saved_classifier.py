"""A classifier that was saved answers as before, in any process; a folder that is not as it was saved is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.exceptions import NotFittedError
from tiny_classifiers import MODEL, TRAINING, tiny_model

from peft_pipelines import PeftClassifier
from peft_pipelines.api import saved_classifier
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import base_model

__all__ = ["tiny_model"]

TEXTS = [f"{'sun' if number % 2 else 'rain'} {number}" for number in range(24)]
LABELS = np.array(["good" if number % 2 else "bad" for number in range(24)])
TENSORS = "checkpoint/adapter_model.safetensors"
ANSWERS = """
import sys, joblib, numpy
from peft_pipelines import PeftClassifier
kept, pickled, texts, found = sys.argv[1:]
for number, classifier in enumerate((PeftClassifier.load(kept), joblib.load(pickled))):
    numpy.save(f"{found}.{number}.npy", classifier.predict_proba(texts.split(",")))
"""


def classifier(method: Any = "lora", **parameters: Any) -> PeftClassifier:
    here = {**MODEL, "folder": os.path.abspath("tiny")}
    return PeftClassifier(method, here, **{"training": TRAINING, **parameters})


@pytest.fixture(scope="module")
def fitted(tiny_model: None) -> PeftClassifier:
    words = {"good": "sunny", "bad": "rainy"}
    return classifier(label_words=words, instruction="Which?", random_state=np.int64(3)).fit(TEXTS, LABELS)


@pytest.fixture
def folder(fitted: PeftClassifier, tmp_path: Path) -> Path:
    fitted.save(tmp_path / "kept")
    return tmp_path / "kept"


def same(one: PeftClassifier, other: PeftClassifier) -> bool:
    """Whether two answer alike, to the last bit, with labels of one type."""
    assert one.classes_.dtype == other.classes_.dtype and one.classes_.tolist() == other.classes_.tolist()
    return bool((one.predict_proba(TEXTS[:6]) == other.predict_proba(TEXTS[:6])).all())


def test_it_answers_as_before_and_has_its_parameters(fitted: PeftClassifier, folder: Path) -> None:
    base_model._resident.clear()
    found = PeftClassifier.load(folder)
    assert same(found, fitted) and found.get_params() == fitted.get_params()
    assert found.predict(TEXTS).tolist() == fitted.predict(TEXTS).tolist()
    assert found.trained_.record == fitted.trained_.record and found.trained_.files == fitted.trained_.files
    assert found.trained_.task == fitted.trained_.task
    assert (found.fit(TEXTS, LABELS).predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()


def test_the_folder_holds_json_and_safetensors_alone(folder: Path, fitted: PeftClassifier) -> None:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"classifier.json", TENSORS, "checkpoint/adapter_config.json", "checkpoint/record.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["kept"]
    assert load_file(folder / TENSORS) and json.loads((folder / "checkpoint/record.json").read_text())["steps"]
    fitted.set_params(project=".").save(folder)
    assert "project" not in json.loads((folder / "classifier.json").read_text())["parameters"]
    fitted.set_params(project=None)


@pytest.mark.parametrize(
    "labels",
    [LABELS.astype(object), np.arange(24) % 2, np.arange(24) % 2 == 1, (np.arange(24) % 2).astype(float)],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_keep_their_type(labels: "np.ndarray[Any, Any]", tmp_path: Path) -> None:
    fitted = classifier("zero_shot", label_words=dict.fromkeys(labels[:2], "x") | {labels[0]: "y"}).fit(TEXTS, labels)
    fitted.save(tmp_path / "kept")
    assert same(PeftClassifier.load(tmp_path / "kept"), fitted)


def test_many_labels_and_shots_are_kept(tmp_path: Path) -> None:
    fitted = classifier("few_shot", random_state=None).fit(TEXTS, [f"l{number % 12}" for number in range(24)])
    fitted.save(tmp_path / "kept")
    found = PeftClassifier.load(tmp_path / "kept")
    assert found.trained_.task == fitted.trained_.task and len(found.trained_.shots) == 4
    assert same(found, fitted) and found.random_state is None


def test_it_answers_alike_in_another_process(fitted: PeftClassifier, folder: Path, tmp_path: Path) -> None:
    pickled, found, elsewhere = tmp_path / "pickled", tmp_path / "found", tmp_path / "elsewhere"
    joblib.dump(fitted, pickled)
    elsewhere.mkdir()
    given = [sys.executable, "-c", ANSWERS, folder, pickled, ",".join(TEXTS), found]
    done = subprocess.run(given, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr
    for number in range(2):
        assert (np.load(f"{found}.{number}.npy") == fitted.predict_proba(TEXTS)).all()
    assert not list(elsewhere.iterdir())


def swapped(path: Path) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "classes": content["classes"][::-1]}))


def bent(path: Path) -> None:
    save_file({name: value + 1 for name, value in load_file(path).items()}, path)


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        (TENSORS, Path.unlink, rf"its file '{TENSORS}' is gone$"),
        (TENSORS, bent, rf"its file '{TENSORS}' is not as it was saved$"),
        ("checkpoint/record.json", lambda path: path.write_text("{}"), r"'checkpoint/record.json' is not as it was"),
        ("classifier.json", swapped, r"its file 'classifier.json' is not as it was saved$"),
        ("classifier.json", lambda path: path.write_text("[]"), r"its file 'classifier.json' is not as it was saved$"),
        ("classifier.json", lambda path: os.truncate(path, 99), r"its file 'classifier.json' cannot be read: "),
    ],
)
def test_a_damaged_folder_is_refused(folder: Path, file: str, damage: Callable[[Path], Any], words: str) -> None:
    damage(folder / file)
    with pytest.raises(ConfigError, match=rf"^classifier '{folder}': .*{words}") as caught:
        PeftClassifier.load(folder)
    assert "\n" not in str(caught.value)


def test_another_base_model_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Path("tiny/model.safetensors")
    before = weights.read_bytes()
    bent(weights)
    save_file({name: value.to(torch.float32) for name, value in load_file(weights).items()}, weights, {"format": "pt"})
    base_model._resident.clear()
    with pytest.raises(ConfigError, match=r"^model 'own': its weights must be those that the classifier was trained"):
        PeftClassifier.load(folder)
    weights.write_bytes(before)
    base_model._resident.clear()


def test_a_folder_without_a_classifier_is_told(tmp_path: Path) -> None:
    for given in (tmp_path, tmp_path / "nowhere", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"^folder: must hold a classifier that was saved, got '.*json$"):
            PeftClassifier.load(given)


def test_what_is_no_classifiers_folder_is_not_replaced(fitted: PeftClassifier, folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    (tmp_path / "other/checkpoint").mkdir(parents=True)
    for given in (folder, folder / "notes.txt", tmp_path / "other", tmp_path):
        with pytest.raises(ConfigError, match=r"^folder: must be new, empty or of a saved classifier, got '"):
            fitted.save(given)
    assert (folder / "notes.txt").read_text() == "mine" and (tmp_path / "other/checkpoint").is_dir()


def test_a_save_that_fails_leaves_the_old_one(
    fitted: PeftClassifier, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr(saved_classifier, "write_json", full)
        fitted.save(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["kept"]
    assert same(PeftClassifier.load(folder), fitted)


def test_what_json_does_not_have_is_refused(fitted: PeftClassifier, tmp_path: Path) -> None:
    kept = fitted.get_params(deep=False), fitted.trained_
    for changed, labels, words in (
        ({"random_state": np.random.RandomState(0)}, LABELS[:2], "PeftClassifier, random_state: must be text"),
        ({"label_words": {1: b"x"}}, LABELS[:2], "PeftClassifier, label_words: must be text"),
        ({}, np.array([b"good", b"bad"]), "PeftClassifier, labels: must be text"),
    ):
        with pytest.raises(ConfigError, match=f"^{words}, numbers, .* to be saved, got "):
            saved_classifier.write(tmp_path / "kept", {**kept[0], **changed}, labels, kept[1])
    assert not list(tmp_path.iterdir())
    with pytest.raises(NotFittedError):
        classifier().save(tmp_path / "kept")
