"""The real bundled model encodes: same vectors as its library gives, in any order, with progress."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from hypothesis import given
from hypothesis import strategies as st

from app.embeddings import encoder as module
from app.embeddings.encoder import EncoderAltered, EncoderMissing, batches, load_encoder, packaged_folder

TEXTS = [
    "How do I brew coffee without a machine?",
    "",
    "Explain quantum entanglement to a child.",
    "What is the best way of making coffee when I have no machine?",
    "word " * 700,
    " \n\t",
    "a",
]


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


@pytest.fixture
def copied_model(tmp_path):
    return shutil.copytree(packaged_folder(), tmp_path / "mini")


def test_rows_are_float32_and_of_unit_length(encoder):
    rows = encoder.encode([text for text in TEXTS if text.strip()])
    assert rows.dtype == np.float32
    assert rows.shape == (5, encoder.dimensions)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_the_vectors_are_those_of_the_library_in_the_order_of_the_texts(encoder):
    texts = [text for text in TEXTS if text.strip()] * 20
    theirs = encoder.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert np.abs(encoder.encode(texts) - theirs).max() < 1e-5


def test_meaning_counts(encoder):
    coffee, quantum, again = encoder.encode([TEXTS[0], TEXTS[2], TEXTS[3]])
    assert coffee @ again > 0.75
    assert coffee @ quantum < 0.3


def test_blank_texts_have_rows_of_zeros(encoder):
    rows = encoder.encode(TEXTS)
    assert [position for position, row in enumerate(rows) if not row.any()] == [1, 5]


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.encode([""]).tolist() == np.zeros((1, 384)).tolist()


def test_progress_counts_up_to_the_number_of_texts(encoder):
    steps = []
    encoder.encode(TEXTS * 30, lambda done, total: steps.append((done, total)))
    assert len(steps) > 5
    assert steps == sorted(steps)
    assert steps[-1] == (210, 210)


def test_what_progress_raises_ends_the_work_at_once(encoder):
    class CancelledError(Exception):
        pass

    steps = []

    def cancel(*step):
        steps.append(step)
        raise CancelledError

    with pytest.raises(CancelledError):
        encoder.encode(TEXTS * 30, cancel)
    assert len(steps) == 1


def test_the_number_of_threads_is_left_as_it_is(encoder):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        encoder.encode(TEXTS)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_default_model_is_named_and_keyed(encoder):
    assert encoder.name == "all-MiniLM-L6-v2"
    assert encoder.key.startswith("all-MiniLM-L6-v2@")
    assert encoder.dimensions == 384


def test_an_empty_setting_means_the_bundled_model(encoder):
    assert load_encoder("").key == encoder.key


def test_a_folder_loads_and_a_changed_file_changes_the_key(encoder, copied_model):
    same = load_encoder(str(copied_model))
    assert same.name == "mini"
    assert same.key == encoder.key.replace("all-MiniLM-L6-v2", "mini")
    assert np.array_equal(same.encode(TEXTS), encoder.encode(TEXTS))
    settings = copied_model / "sentence_bert_config.json"
    settings.write_text(settings.read_text().replace("256", "128"))
    assert load_encoder(str(copied_model)).key != same.key


def test_a_model_that_puts_a_prompt_before_each_text_has_it(copied_model, encoder):
    config = copied_model / "config_sentence_transformers.json"
    config.write_text(json.dumps({"prompts": {"q": "query: "}, "default_prompt_name": "q"}))
    prompted = load_encoder(str(copied_model))
    assert np.abs(prompted.encode(TEXTS[:1]) - encoder.encode(["query: " + TEXTS[0]])).max() < 1e-5


def test_altered_bundled_weights_are_refused(copied_model, monkeypatch):
    with (copied_model / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x7f")
    monkeypatch.setattr(module, "packaged_folder", lambda: copied_model)
    with pytest.raises(EncoderAltered, match="not the published one"):
        load_encoder()


def test_pickled_weights_are_not_read(copied_model):
    (copied_model / "model.safetensors").rename(copied_model / "pytorch_model.bin")
    with pytest.raises(EncoderMissing, match="no safetensors"):
        load_encoder(str(copied_model))


def test_a_missing_folder_is_refused_by_name(tmp_path):
    with pytest.raises(EncoderMissing, match="/nowhere"):
        load_encoder(str(tmp_path / "nowhere"))


def test_a_hub_id_that_is_not_on_the_machine_is_refused_offline(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EncoderMissing, match="example/absent"):
        load_encoder("example/absent")


def test_importing_the_encoder_does_not_import_torch():
    code = "import sys, app.embeddings.encoder as e; e.packaged_folder(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@given(st.lists(st.integers(0, 3000), max_size=80), st.integers(1, 2000))
def test_batches_hold_every_text_once_within_the_budget_longest_first(lengths, budget):
    made = list(batches(lengths, budget))
    assert sorted(position for batch in made for position in batch) == list(range(len(lengths)))
    in_turn = [lengths[position] for batch in made for position in batch]
    assert in_turn == sorted(lengths, reverse=True)
    for batch in made:
        assert (
            len(batch) == 1
            or len(batch) * max(lengths[position] for position in batch) <= budget
            or (max(lengths[position] for position in batch) == 0)
        )
