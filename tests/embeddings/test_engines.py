"""A faster engine is taken only where its vectors are the plain one's, and none of them opens a connection."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from app.embeddings import encoder as module
from app.embeddings import engines, measured
from app.embeddings.encoder import load_encoder
from app.embeddings.engines import Choice, choose, padded

SENTENCE = "how do I brew a cup of coffee without any machine at home when nobody is awake and it rains outside"
TEXTS = [" ".join(SENTENCE.split()[start : start + length]) for start in range(8) for length in range(1, 13)]


# Not by importing it: so it would be loaded with its telemetry.
with_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")


class Turned:
    """An engine whose every vector is off by an angle, and which takes so long."""

    def __init__(self, name, cosine, seconds=0.0) -> None:
        self.name, self.cosine, self.seconds = name, cosine, seconds

    def vectors(self, tokens):
        import time

        time.sleep(self.seconds)
        return np.array([[self.cosine, np.sqrt(1 - self.cosine**2)]] * len(tokens), dtype=np.float32)


PLAIN = Turned("plain", 1.0, 0.02)
SAMPLE = [[[1, 2, 3]], [[1, 2]]]


def taken(*others):
    engine, choice = choose(PLAIN, iter([lambda other=other: other for other in others]), SAMPLE)
    assert engine.name == choice.engine
    return choice


def test_the_fastest_of_those_that_agree_is_taken():
    choice = taken(
        Turned("slower", 1.0, 0.05), Turned("fast", 0.99995), Turned("wrong", 0.9998), Turned("fair", 1.0, 0.01)
    )
    assert choice.engine == "fast"
    assert 0.9999 <= choice.least_cosine < 1
    assert choice.texts == 2
    assert choice.times > engines.WORTH


@pytest.mark.parametrize("other", [Turned("wrong", 0.9998), Turned("slower", 1.0, 0.06)])
def test_what_disagrees_or_is_slower_is_not(other):
    assert taken(other) == Choice("plain", 1.0, 2, 1.0)


def test_what_is_not_worth_it_is_not(monkeypatch):
    monkeypatch.setattr(engines, "WORTH", 1000.0)
    assert taken(Turned("faster", 1.0, 0.005)) == Choice("plain", 1.0, 2, 1.0)


def test_what_gives_no_numbers_is_not_taken():
    assert taken(Turned("broken", float("nan"))).engine == "plain"


def test_what_cannot_be_made_is_left_out():
    def fail():
        raise ImportError("not installed")

    engine, _ = choose(PLAIN, iter([fail, lambda: Turned("fast", 1.0)]), SAMPLE)
    assert engine.name == "fast"


def test_lists_of_ids_are_filled_up():
    ids, mask = padded([[5, 6, 7], [8]], 9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


@pytest.fixture(scope="module")
def loaded():
    return load_encoder()


@pytest.fixture(scope="module")
def wanted(loaded):
    return loaded.encode(TEXTS)


@with_openvino
def test_openvino_gives_the_same_vectors_whatever_the_length(loaded, wanted):
    engine = engines._openvino(loaded.model)
    tokens = loaded._tokens(TEXTS)
    for start in range(0, len(TEXTS), 17):
        rows = engine.vectors(tokens[start : start + 17])
        assert rows.dtype == np.float32
        assert np.einsum("nd,nd->n", rows, wanted[start : start + 17]).min() >= engines.LEAST_COSINE


def test_weights_in_bfloat16_are_near_and_a_trial_would_say_how_near(loaded, wanted):
    import copy

    import torch

    engine = engines.Torch("torch, bfloat16", copy.deepcopy(loaded.model).to(torch.bfloat16))
    least = np.einsum("nd,nd->n", engine.vectors(loaded._tokens(TEXTS)), wanted).min()
    assert 0.999 < least < 1


def test_once_much_was_encoded_the_engines_are_tried_and_the_vectors_stay(monkeypatch, wanted, settings):
    monkeypatch.setattr(module, "TRIAL_AFTER", 1)
    mine = load_encoder()
    mine.encode(TEXTS[:1])
    assert mine.choice is None
    again = mine.encode(TEXTS)
    assert mine.choice is not None
    assert mine.choice.texts == module.TRIAL_TEXTS
    assert np.einsum("nd,nd->n", again, wanted).min() >= engines.LEAST_COSINE
    measured.note(settings, mine)
    assert measured.chosen(settings, mine.key) == mine.choice


def test_a_few_texts_are_no_reason_for_a_trial(loaded):
    assert loaded.choice is None


def test_what_was_measured_is_read_back_for_that_model_alone(settings, loaded):
    assert measured.chosen(settings, "a@1") is None
    kept = Turned("a", 1.0)
    kept.key, kept.choice = "a@1", Choice("OpenVINO, bfloat16", 0.99997, 64, 2.5)
    measured.note(settings, kept)
    assert measured.chosen(settings, "a@1") == kept.choice
    assert measured.chosen(settings, "b@1") is None
    assert "2.5 times as fast" in measured.in_words(kept.choice)
    assert "0.99997" in measured.in_words(kept.choice)
    [file] = (settings.data_dir / "vectors").iterdir()
    file.write_text('{"model": "a@1"}')
    assert measured.chosen(settings, "a@1") is None


SILENT = """
import socket, sys

def refused(*_args, **_kwargs):
    raise SystemExit("a connection was asked for")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refused
from app.embeddings.encoder import load_encoder
from app.embeddings.engines import _openvino

encoder = load_encoder()
print(_openvino(encoder.model).vectors(encoder._tokens(["tea"])).shape)
print(sorted(name for name in sys.modules if name.startswith("openvino_telemetry.")))
"""


@with_openvino
def test_openvino_reports_nothing_to_anybody(tmp_path):
    """Its telemetry would write a number of this machine into the home folder, and open a connection."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_ACTIONS"}}
    out = subprocess.run(
        [sys.executable, "-c", SILENT],
        env=environment | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr[-2000:]
    assert out.stdout.splitlines()[-2:] == ["(1, 384)", "[]"]
    assert list(tmp_path.rglob("*telemetry*")) == []
    assert not (tmp_path / "intel").exists()


@with_openvino
def test_where_its_telemetry_was_loaded_before_it_is_not_used():
    code = (
        "import openvino_telemetry, openvino.tools.ovc; from app.embeddings.engines import _silent_openvino as s; s()"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: OpenVINO was loaded with its telemetry before" in out.stderr
