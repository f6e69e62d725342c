"""`python -m training.tiny OUT_DIR [--texts FILE]`: a small random Llama with its own tokenizer, for trying things out.

It knows nothing and learns fast: half a million weights, a tenth of a second a step on one core. The same texts
and seed give the same bytes.
"""

import argparse
import json
import os
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training.cli import ends
from training.errors import BadInput
from training.folder import WEIGHTS
from training.vocabulary import PAD

EOS = "<|end|>"
WORDS = """\
How long should coffee rest after grinding? Not at all: brew it within a few minutes, while the smell is strong.
Water just off the boil is about right for a pot of black tea; green tea wants it cooler, near eighty degrees.
To sort a list in place, call its sort method; to keep the first list, ask for a sorted copy of it.
What is the difference between weight and mass? Mass is how much there is, weight is how hard it is pulled.
A good answer names the cause first, then the steps, one after the other, and last what to do if they fail.
1. Switch the machine off. 2. Wait until it is cold. 3. Open the lid and take out the filter. 4. Rinse it well.
Why does bread rise? The yeast eats sugar and gives off gas, and the dough is elastic enough to hold the bubbles.
- Read the whole message. - Look at the line it names. - Change one thing. - Run the test again.
The moon shows us the same face because it turns once about itself in the time that it takes to go around.
If the plant has yellow leaves, check the soil: too wet is more common than too dry. Let it drain for a week.
for item in items: print(item)    while queue: task = queue.pop(0)    return sum(values) / len(values)
You can write the fraction as a decimal, the decimal as a percentage, and each of them as a point on a line.
"""


def make_tokenizer(texts: list[str], vocabulary_size: int = 2048) -> PreTrainedTokenizerFast:
    """A byte-level BPE of at most `vocabulary_size` tokens, trained on the spot; every text can be encoded."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[EOS, PAD],
        initial_alphabet=sorted(alphabet),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=EOS, pad_token=PAD
    )


def make_model(vocabulary_size: int, seed: int = 0) -> LlamaForCausalLM:
    """A Llama of 4 layers, 4 heads and 64 hidden values with random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary_size,
        hidden_size=64,
        intermediate_size=176,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
    )
    return LlamaForCausalLM(config)


def make_tiny(out: Path, texts: list[str] | None = None, seed: int = 0) -> Path:
    """Write model.safetensors, config.json and tokenizer files into a folder, and give it back."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(texts or WORDS.splitlines())
    model = make_model(len(tokenizer), seed)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        eos_token_id=0, pad_token_id=1
    )
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def read_texts(file: Path) -> list[str]:
    """Texts to train the tokenizer on: the messages of a .jsonl of rows, else the lines of a text file."""
    try:
        lines = [line for line in file.read_text("utf-8").split("\n") if line.strip()]
        if file.suffix != ".jsonl":
            return lines
        rows = [json.loads(line) for line in lines]
        return [message["content"] for row in rows for message in row["messages"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"No texts can be read from {file}: {error}") from error


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.tiny", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--texts", type=Path, help="text to train the tokenizer on; .jsonl rows of messages, or lines")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    def work() -> int:
        out = make_tiny(options.out, read_texts(options.texts) if options.texts else None, options.seed)
        print(f"Made {out / WEIGHTS}, {(out / WEIGHTS).stat().st_size:,} bytes.")
        return 0

    return ends(work)


if __name__ == "__main__":
    raise SystemExit(main())
