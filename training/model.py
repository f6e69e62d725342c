"""Load a causal language model, give it the new tokens' rows and LIMA's residual dropout."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM

from training.errors import ModelRefused, classify
from training.folder import WEIGHTS
from training.schedule import layer_dropout
from training.vocabulary import Vocabulary

ROW_MULTIPLE = 64
# Layers that compute x + self_attn(norm(x)) and x + mlp(norm(x)): on them dropout of the child's output is
# dropout of the residual branch. Others (post-norms, parallel blocks) need a look before they join.
PRE_NORM_LAYERS = frozenset(
    {"LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer", "SmolLM3DecoderLayer"}
)


def load_model(path: Path) -> Any:
    """The model of a local folder in float32, from safetensors alone and without any code from the folder.

    Float32 whatever the checkpoint says: at LIMA's learning rate most updates of a bf16 weight round to nothing.
    """
    _demand_weights(path)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        raise _refusal(path, error) from error
    model, info = loaded
    wrong = sorted(info["missing_keys"]) + [str(key) for key in info["mismatched_keys"]]
    if wrong:
        raise ModelRefused(
            f"The weights in {path.name} do not fit its config.json: {wrong[0]} is missing or misshapen."
        )
    return model


def _demand_weights(path: Path) -> None:
    if not (path / "config.json").is_file():
        raise ModelRefused(f"There is no model in the folder {str(path)!r}: config.json is missing.")
    if not any(path.glob("*.safetensors")):
        raise ModelRefused(
            f"The model in {path.name} has no safetensors weights ({WEIGHTS}); other formats can carry code."
        )


def _refusal(path: Path, error: Exception) -> Exception:
    failure = classify(error)
    if failure.reason != "crashed":
        return failure
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ModelRefused(f"The model in {path.name} cannot be loaded: {first[:300]}")


def add_rows(model: Any, vocabulary: Vocabulary) -> None:
    """Make room for the added tokens; each new row is the mean of the old ones, old rows stay as they are.

    Rows are padded to a multiple of 64. On a model that has its rows already this does nothing.
    """
    size = len(vocabulary.tokenizer)
    if size == vocabulary.base_size:
        return
    before = model.get_input_embeddings().weight.shape[0]
    if size > before:
        model.resize_token_embeddings(size, pad_to_multiple_of=ROW_MULTIPLE, mean_resizing=False)
    first_new = min(vocabulary.base_size, before)
    matrices = {id(part.weight): part.weight for part in _token_matrices(model)}
    with torch.no_grad():
        for weight in matrices.values():
            weight[first_new:] = weight[:first_new].mean(dim=0)


def _token_matrices(model: Any) -> list[Any]:
    return [part for part in (model.get_input_embeddings(), model.get_output_embeddings()) if part is not None]


def checkpoint_activations(model: Any) -> None:
    """Compute each layer's activations again in the backward pass instead of keeping them."""
    older_name = "gradient_checkpointing_enable"
    enable = getattr(model, "activation_checkpointing_enable", None) or getattr(model, older_name)
    enable({"use_reentrant": False})


def install_residual_dropout(model: Any, top: float) -> list[float]:
    """Drop elements of both residual branches of each layer, 0 at the bottom to `top`; returns the rates.

    Hooks act in training only, add nothing to the state dict, and have to be installed again after each load.
    They sit on the layer's children, so that gradient checkpointing recomputes them with the same masks.
    """
    layers = list(getattr(model.get_decoder(), "layers", ()))
    rates = layer_dropout(len(layers), top)
    if top == 0:
        return rates
    unknown = {type(layer).__name__ for layer in layers} - PRE_NORM_LAYERS
    if unknown or not layers:
        names = ", ".join(sorted(unknown)) or type(model).__name__
        raise ModelRefused(f"Residual dropout is not known for {names}; set residual_dropout=0 or take another model.")
    for layer, rate in zip(layers, rates, strict=True):
        for branch in (layer.self_attn, layer.mlp):
            # A new module is in training mode whatever its parent is in.
            branch.residual_dropout = nn.Dropout(rate).train(branch.training)
            branch.register_forward_hook(_drop_output)
    return rates


def _drop_output(branch: nn.Module, _inputs: object, output: Any) -> Any:
    drop: Any = branch.residual_dropout
    return (drop(output[0]), *output[1:]) if isinstance(output, tuple) else drop(output)
