"""Loading, new rows, and residual dropout."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from training.errors import ModelRefused
from training.model import add_rows, checkpoint_activations, install_residual_dropout, load_model
from training.vocabulary import load_vocabulary

IDS = torch.arange(2, 50).reshape(2, 24)


def copy_of(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def test_rates_by_layer(tiny: Path) -> None:
    assert install_residual_dropout(load_model(tiny), 0.3) == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_measured_share_of_zeros_in_both_branches(tiny: Path) -> None:
    model = load_model(tiny)
    install_residual_dropout(model, 0.3)
    seen: dict[str, list[float]] = {"self_attn": [], "mlp": []}

    def note(name: str) -> Any:
        def hook(_module: object, _inputs: object, output: Any) -> None:
            tensor = output[0] if isinstance(output, tuple) else output
            seen[name].append(float((tensor == 0).float().mean()))

        return hook

    for layer in model.model.layers:
        layer.self_attn.register_forward_hook(note("self_attn"))
        layer.mlp.register_forward_hook(note("mlp"))
    torch.manual_seed(0)
    model.train()
    model(input_ids=torch.randint(2, 300, (8, 64)))
    for shares in seen.values():
        assert shares == pytest.approx([0.0, 0.1, 0.2, 0.3], abs=0.01)


def test_no_effect_in_eval_bit_by_bit(tiny: Path) -> None:
    plain, dropping = load_model(tiny).eval(), load_model(tiny).eval()
    install_residual_dropout(dropping, 0.3)
    assert torch.equal(logits(plain), logits(dropping))
    dropping.train()
    assert not torch.equal(logits(plain), logits(dropping))


def test_the_state_dict_stays_as_it_was(tiny: Path) -> None:
    model = load_model(tiny)
    before = set(model.state_dict())
    install_residual_dropout(model, 0.3)
    assert set(model.state_dict()) == before


def test_same_masks_with_gradient_checkpointing(tiny: Path) -> None:
    gradients = []
    for checkpointing in (False, True):
        model = load_model(tiny).train()
        install_residual_dropout(model, 0.3)
        if checkpointing:
            checkpoint_activations(model)
        torch.manual_seed(3)
        model(input_ids=IDS, use_cache=False).logits.square().mean().backward()
        gradients.append([weight.grad for weight in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


def test_an_unknown_layer_is_refused_by_name() -> None:
    config = GPTNeoXConfig(vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2)
    model = GPTNeoXForCausalLM(config)
    with pytest.raises(ModelRefused, match="Residual dropout is not known for GPTNeoXLayer"):
        install_residual_dropout(model, 0.1)
    assert install_residual_dropout(model, 0.0) == [0.0, 0.0]


def test_new_rows_are_the_mean_and_old_rows_stay(tiny: Path) -> None:
    model, vocabulary = load_model(tiny), load_vocabulary(tiny, "<EOT>")
    before = model.get_input_embeddings().weight.detach().clone()
    add_rows(model, vocabulary)
    after = model.get_input_embeddings().weight.detach()
    assert after.shape[0] % 64 == 0
    assert torch.equal(after[: len(before)], before)
    assert torch.equal(after[vocabulary.eot], before.mean(dim=0))
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_rows_are_added_once(tiny: Path, tmp_path: Path) -> None:
    model, vocabulary = load_model(tiny), load_vocabulary(tiny, "<EOT>")
    add_rows(model, vocabulary)
    with torch.no_grad():
        model.get_input_embeddings().weight[vocabulary.eot] = 7.0
    model.save_pretrained(tmp_path)
    vocabulary.tokenizer.save_pretrained(tmp_path)
    again, same = load_model(tmp_path), load_vocabulary(tmp_path, "<EOT>")
    add_rows(again, same)
    assert (same.eot, same.pad) == (vocabulary.eot, vocabulary.pad)
    assert bool((again.get_input_embeddings().weight[same.eot] == 7.0).all())


def test_an_eot_that_is_the_eos_is_refused(tiny: Path) -> None:
    with pytest.raises(ModelRefused, match="already has another meaning"):
        load_vocabulary(tiny, "<|end|>")


def test_a_pad_token_that_is_the_eos_is_replaced(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pad_token": "<|end|>"}))
    vocabulary = load_vocabulary(folder, "<EOT>")
    assert len({vocabulary.pad, vocabulary.eot, vocabulary.tokenizer.eos_token_id}) == 3


def test_bf16_weights_are_loaded_as_float32(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    weights = {name: one.to(torch.bfloat16) for name, one in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text((folder / "config.json").read_text().replace("float32", "bfloat16"))
    assert {weight.dtype for weight in load_model(folder).parameters()} == {torch.float32}


def test_weights_that_could_carry_code_are_refused(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelRefused, match="has no safetensors weights"):
        load_model(folder)


def test_code_in_the_folder_is_never_run(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    canary = tmp_path / "canary"
    (folder / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Evil: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelRefused, match=r"^The model in copy cannot be loaded"):
        load_model(folder)
    assert not canary.exists()


def test_missing_weights_are_refused_instead_of_made_up(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.2.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelRefused, match=r"model\.layers\.2\.mlp\.up_proj\.weight is missing"):
        load_model(folder)


def test_a_truncated_weights_file_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = copy_of(tiny, tmp_path)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelRefused, match=r"^The model in copy cannot be loaded"):
        load_model(folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"config\.json is missing"):
        load_model(tmp_path)
