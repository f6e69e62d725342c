"""The tokenizer with its end-of-turn token: how text becomes ids, and only our own code makes control tokens."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer
from transformers.utils import logging

from training.errors import ModelRefused

logging.disable_progress_bar()  # type: ignore[no-untyped-call]
logging.set_verbosity_error()  # type: ignore[no-untyped-call]

PAD = "<PAD>"
TEMPLATE = "{%% for message in messages %%}%s{{ message['content'] }}{{ %r }}{%% endfor %%}"
FIRST_BOS = "{% if loop.first %}{{ bos_token }}{% endif %}"


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer, the ids that the recipe puts in by itself, and its size before it got them."""

    tokenizer: Any
    eot: int
    pad: int
    prefix: list[int]
    base_size: int

    def encode(self, text: str) -> list[int]:
        """Ids of a text that a person wrote: control tokens typed in it stay plain text."""
        return list(self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)

    def decode(self, ids: list[int]) -> str:
        """Text of ids without control tokens."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def piece(self, ids: list[int]) -> str:
        """Text of ids with control tokens shown by name."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def load_vocabulary(path: Path, eot_token: str) -> Vocabulary:
    """Read a folder's tokenizer and give it an EOT and a pad token that differ from EOS and from each other."""
    if not path.is_dir():
        raise ModelRefused(f"The model's folder {path.name} is not there any more; put it back, or register it anew.")
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelRefused(f"The tokenizer in {path.name} cannot be read: {_first_line(error)}") from error
    base_size = len(tokenizer)
    _add_eot(tokenizer, eot_token)
    _add_pad(tokenizer, eot_token)
    prefix = [tokenizer.bos_token_id] if _starts_with_bos(tokenizer) else []
    tokenizer.chat_template = TEMPLATE % (FIRST_BOS if prefix else "", eot_token)
    eot = tokenizer.convert_tokens_to_ids(eot_token)
    return Vocabulary(tokenizer, eot, tokenizer.pad_token_id, prefix, base_size)


def _add_eot(tokenizer: Any, eot_token: str) -> None:
    if eot_token in (tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token):
        raise ModelRefused(f"{eot_token} already has another meaning in this tokenizer; set eot_token to a new one.")
    tokenizer.add_special_tokens({"additional_special_tokens": [eot_token]})


def _add_pad(tokenizer: Any, eot_token: str) -> None:
    """Padding that equals EOS or EOT would take it out of the loss, and the model would never learn to stop."""
    taken = (None, tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token, eot_token)
    if tokenizer.pad_token in taken:
        tokenizer.add_special_tokens({"pad_token": PAD})


def _starts_with_bos(tokenizer: Any) -> bool:
    """Whether this model's texts begin with BOS by its tokenizer's own habit (LLaMA's do)."""
    return tokenizer.bos_token_id is not None and tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
