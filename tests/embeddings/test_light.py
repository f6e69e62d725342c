"""The light encoder gives the full one's vectors, without torch; what it does not know it leaves to the full one."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from app.embeddings import ready
from app.embeddings.encoder import EncoderAltered, TransformerEncoder, load_encoder, packaged_folder
from app.embeddings.light import LightEncoder, _erf
from app.embeddings.matrix import GrowingRows, cosines, highest

TEXTS = [
    "How do I brew coffee without a machine?",
    "word " * 700,
    "Wie hält man Sauerteig zwei Wochen lang am Leben? 我想知道。 كيف؟",
    "a",
    "```python\nprint('<script>')\n```\u202e \ufeff $x^2$",
]


@pytest.fixture(scope="module")
def light():
    return load_encoder(light=True)


@pytest.fixture(scope="module")
def full():
    return load_encoder()


@pytest.fixture
def copied_model(tmp_path):
    return shutil.copytree(packaged_folder(), tmp_path / "mini")


def rewrite(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_its_vectors_are_those_of_the_full_one_under_the_same_key(light, full):
    assert isinstance(light, LightEncoder)
    assert isinstance(full, TransformerEncoder)
    assert (light.key, light.dimensions, light.name) == (full.key, full.dimensions, full.name)
    assert np.abs(light.encode(TEXTS) - full.encode(TEXTS)).max() < 1e-5


@settings(max_examples=15)
@given(st.text(min_size=1, max_size=60))
def test_whatever_is_written_has_the_same_vector(light, full, text):
    assert np.abs(light.encode([text]) - full.encode([text])).max() < 1e-5


def test_blank_texts_have_rows_of_zeros_and_progress_counts_all(light):
    told = []
    rows = light.encode(["", "coffee", " \n"], lambda done, total: told.append((done, total)))
    assert [bool(row.any()) for row in rows] == [False, True, False]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_it_needs_no_torch():
    code = (
        "import sys; from app.embeddings.encoder import load_encoder; load_encoder(light=True).encode(['tea']); "
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_weights_in_half_precision_are_read(copied_model, light):
    file = copied_model / "model.safetensors"
    halves = {name: row.astype(np.float16) if row.dtype == np.float32 else row for name, row in load_file(file).items()}
    save_file({f"bert.{name}": row for name, row in halves.items()}, file)
    small = load_encoder(str(copied_model), light=True)
    assert isinstance(small, LightEncoder)
    assert small.key != light.key
    assert float(small.encode(TEXTS[:1])[0] @ light.encode(TEXTS[:1])[0]) > 0.999


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("config.json", {"hidden_act": "relu"}),
        ("sentence_bert_config.json", {"max_seq_length": None}),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}),
        ("config_sentence_transformers.json", {"prompts": {"q": "query: "}, "default_prompt_name": "q"}),
    ],
)
def test_another_kind_of_model_is_left_to_the_full_encoder(copied_model, file, changes):
    rewrite(copied_model / file, **changes)
    assert isinstance(load_encoder(str(copied_model), light=True), TransformerEncoder)


def test_altered_weights_are_refused_as_by_the_full_one(monkeypatch):
    monkeypatch.setattr("app.embeddings.encoder.PACKAGED_SHA256", "0" * 64)
    with pytest.raises(EncoderAltered):
        load_encoder(light=True)


def test_the_error_function_is_exact_to_what_float32_can_tell():
    from math import erf

    points = np.linspace(-6, 6, 4001, dtype=np.float32)
    assert np.abs(_erf(points) - [erf(float(point)) for point in points]).max() < 3e-7


def test_what_takes_long_is_under_way_and_then_there():
    import threading

    go = threading.Event()
    making = ready.Making(lambda: go.wait(10) and "made")
    assert making.within(0) is None
    assert making.within(0) is None
    go.set()
    assert making.within(10) == "made"


def test_a_failure_is_told_and_tried_again_after_a_while(monkeypatch):
    tries = []

    def fail():
        tries.append(1)
        raise EncoderAltered(reason="no")

    making = ready.Making(fail)
    for _ in range(2):
        with pytest.raises(EncoderAltered):
            making.within(10)
    assert len(tries) == 1
    monkeypatch.setattr(ready, "AGAIN_AFTER", -1.0)
    with pytest.raises(EncoderAltered):
        making.within(10)
    assert len(tries) == 2


def test_rows_grow_and_keep_what_they_had(tmp_path, monkeypatch):
    monkeypatch.setattr("app.embeddings.matrix.FIRST_ROWS", 2)
    monkeypatch.setattr("app.embeddings.matrix.ROWS_AT_ONCE", 3)
    rows = GrowingRows(tmp_path / "vectors", 4, np.float32)
    drawn = np.random.default_rng(7).normal(size=(9, 4)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    before = [rows.append(part) for part in (drawn[:1], drawn[1:4], drawn[4:])]
    assert before == [0, 1, 4]
    assert len(rows) == 9
    assert (rows.rows == drawn).all()
    found = cosines(rows.rows, drawn[5])
    assert np.allclose(found, drawn @ drawn[5], atol=1e-6)
    assert found.max() <= 1
    assert list(highest(found, 3)) == list(np.argsort(-found, kind="stable")[:3])
    assert list((tmp_path / "vectors").iterdir()) == []


def test_of_equal_scores_the_first_is_taken_and_nan_never():
    scores = np.array([0.5, np.nan, 0.9, 0.5, 0.5], dtype=np.float32)
    assert list(highest(scores, 3)) == [2, 0, 3]
    assert list(highest(scores, 9)) == [2, 0, 3, 4]
    assert list(highest(scores[:0], 3)) == []
