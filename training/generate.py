"""`python -m training.generate RUN_DIR --checkpoint epoch-NN --prompts IN.jsonl --out OUT.jsonl`: answers.

LIMA's decoding unless told otherwise: top-p 0.9, temperature 0.7, repetition penalty 1.2 on the tokens of the answer
alone, at most 2,048 new tokens, ends at EOT. IN holds `{"prompt"}` or `{"messages"}` a line, with an `id` if wanted;
OUT gets `{"id", "prompt", "response", "stopped_by", "tokens"}` a line, in the same order, and appears when whole
(until then it grows as OUT.part).
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from training.checkpoint import decoding
from training.cli import ends
from training.errors import BadInput, CheckpointDamaged
from training.folder import Checkpoint, RunFolder, checkpoint_problem, whole_checkpoints
from training.machine import choose_machine
from training.model import load_model
from training.prepare import read_spec
from training.vocabulary import Vocabulary, load_vocabulary


@dataclass(frozen=True)
class Decoding:
    """How answers are drawn; temperature 0 takes the likeliest token each time."""

    top_p: float = 0.9
    temperature: float = 0.7
    repetition_penalty: float = 1.2
    penalise_prompt: bool = False
    max_new_tokens: int = 2048
    seed: int = 0
    batch_size: int = 1


@dataclass(frozen=True)
class Prompt:
    """One thing to answer: its line as it came, the text to show, and its ids."""

    id: Any
    text: str
    ids: list[int]


@dataclass(frozen=True)
class Answer:
    """What came out; `stopped_by` is eot, length (of the answer or the model's context) or prompt_too_long."""

    prompt: Prompt
    response: str
    stopped_by: str
    tokens: int

    def line(self) -> str:
        """One line of OUT."""
        values = {"id": self.prompt.id, "prompt": self.prompt.text, "response": self.response,
                  "stopped_by": self.stopped_by, "tokens": self.tokens}  # fmt: skip
        return json.dumps(values, ensure_ascii=False) + "\n"


class AnswerPenalty(LogitsProcessor):
    """Repetition penalty on tokens after the prompt: a positive logit is divided by it, a negative one multiplied.

    Libraries usually penalise prompt tokens too, among them the EOT after the prompt, and so answers that end.
    """

    def __init__(self, penalty: float, prompt_length: int) -> None:
        """`prompt_length` is the padded width of the prompts; 0 penalises their tokens as well."""
        self.penalty = penalty
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of shape (batch, vocabulary), changed where the token occurs in the row's answer."""
        said = input_ids[:, self.prompt_length :]
        logits = torch.gather(scores, 1, said)
        return scores.scatter(1, said, torch.where(logits > 0, logits / self.penalty, logits * self.penalty))


def read_prompts(file: Path, vocabulary: Vocabulary) -> list[Prompt]:
    """Prompts of a JSONL file; raises BadInput with the number of the first bad line."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file.name} cannot be read: {error}") from error
    return [_prompt(line, number, file.name, vocabulary) for number, line in enumerate(lines, 1) if line.strip()]


def _prompt(line: str, number: int, file: str, vocabulary: Vocabulary) -> Prompt:
    try:
        row = json.loads(line)
        messages = row["messages"] if "messages" in row else [{"role": "user", "content": row["prompt"]}]
        texts = [message["content"] for message in messages]
        good = messages[-1]["role"] == "user" and all(isinstance(text, str) for text in texts)
    except (ValueError, KeyError, TypeError, IndexError):
        good = False
    if not good:
        raise BadInput(f'Line {number} of {file} has no "prompt", nor "messages" of which the last is the user\'s.')
    ids = list(vocabulary.prefix)
    for text in texts:
        ids += [*vocabulary.encode(text), vocabulary.eot]
    return Prompt(row.get("id", number), texts[-1], ids)


def answers(model: Any, vocabulary: Vocabulary, prompts: list[Prompt], how: Decoding) -> Iterator[Answer]:
    """Answers in the order of the prompts, each batch seeded by its place, so that an answer can be drawn again."""
    model.eval()
    room = int(getattr(model.config, "max_position_embeddings", 1 << 30))
    for start in range(0, len(prompts), how.batch_size):
        batch = prompts[start : start + how.batch_size]
        torch.manual_seed(how.seed + start)
        fitting = [prompt for prompt in batch if len(prompt.ids) < room]
        drawn = iter(_answer_batch(model, vocabulary, fitting, how, room) if fitting else ())
        for prompt in batch:
            yield next(drawn) if len(prompt.ids) < room else Answer(prompt, "", "prompt_too_long", 0)


@torch.inference_mode()
def _answer_batch(model: Any, vocabulary: Vocabulary, prompts: list[Prompt], how: Decoding, room: int) -> list[Answer]:
    """Prompts padded on the left, so that all answers begin in the same column."""
    width = max(len(prompt.ids) for prompt in prompts)
    padded = [[vocabulary.pad] * (width - len(prompt.ids)) + prompt.ids for prompt in prompts]
    mask = [[0] * (width - len(prompt.ids)) + [1] * len(prompt.ids) for prompt in prompts]
    penalty = AnswerPenalty(how.repetition_penalty, 0 if how.penalise_prompt else width)
    out = model.generate(
        torch.tensor(padded, device=model.device),
        attention_mask=torch.tensor(mask, device=model.device),
        generation_config=_generation_config(model, vocabulary, how, min(how.max_new_tokens, room - width)),
        logits_processor=LogitsProcessorList([penalty]),
    )
    return [_answer(prompt, ids, vocabulary) for prompt, ids in zip(prompts, out[:, width:].tolist(), strict=True)]


def _generation_config(model: Any, vocabulary: Vocabulary, how: Decoding, new_tokens: int) -> Any:
    """Our penalty instead of the library's; rows of the embedding that no token owns are never drawn."""
    config: Any = decoding(vocabulary)
    config.update(repetition_penalty=1.0, max_new_tokens=new_tokens)
    config.suppress_tokens = [vocabulary.pad, *range(len(vocabulary.tokenizer), model.config.vocab_size)]
    if how.temperature > 0:
        config.update(temperature=how.temperature, top_p=how.top_p)
    else:
        config.update(do_sample=False, temperature=None, top_p=None)
    return config


def _answer(prompt: Prompt, ids: list[int], vocabulary: Vocabulary) -> Answer:
    if vocabulary.eot in ids:
        said = ids[: ids.index(vocabulary.eot)]
        return Answer(prompt, vocabulary.decode(said), "eot", len(said))
    return Answer(prompt, vocabulary.decode(ids), "length", len(ids))


def find_checkpoint(run_dir: Path, name: str | None) -> Checkpoint:
    """A whole checkpoint of the run by its name, the last one without; its files are held against their hashes."""
    whole = whole_checkpoints(run_dir)
    chosen = [one for one in whole if one.name == name] if name else whole[-1:]
    if not chosen:
        known = ", ".join(one.name for one in whole) or "none"
        raise BadInput(f"There is no whole checkpoint {name or ''} in this run; whole ones: {known}.")
    problem = checkpoint_problem(chosen[0].path)
    if problem:
        raise CheckpointDamaged(problem)
    return chosen[0]


def generate(run_dir: Path, name: str | None, prompts_file: Path, out: Path, how: Decoding) -> int:
    """Answer a file of prompts; returns how many."""
    spec = read_spec(RunFolder(run_dir))
    machine = choose_machine(spec, spec.threads)
    checkpoint = find_checkpoint(run_dir, name)
    vocabulary = load_vocabulary(checkpoint.path, spec.eot_token)
    prompts = read_prompts(prompts_file, vocabulary)
    model = load_model(checkpoint.path).to(machine.device)
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8") as stream, machine.autocast():
        for answer in answers(model, vocabulary, prompts, how):
            stream.write(answer.line())
            stream.flush()
    part.replace(out)
    return len(prompts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.generate", description=__doc__)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    parser.add_argument("--checkpoint", metavar="NAME", help="such as epoch-05; the last whole one if not given")
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-new-tokens", type=int, default=Decoding.max_new_tokens)
    parser.add_argument("--temperature", type=float, default=Decoding.temperature)
    parser.add_argument("--top-p", type=float, default=Decoding.top_p)
    parser.add_argument("--repetition-penalty", type=float, default=Decoding.repetition_penalty)
    parser.add_argument("--penalise-prompt", action="store_true", help="penalise the prompt's tokens as well")
    parser.add_argument("--seed", type=int, default=Decoding.seed)
    parser.add_argument("--batch-size", type=int, default=Decoding.batch_size)
    return parser.parse_args()


def checked(how: Decoding) -> Decoding:
    """The same settings, or ValueError naming the first that makes no sense."""
    bounds = (
        ("top_p", 1e-6, 1.0),
        ("temperature", 0.0, 10.0),
        ("repetition_penalty", 0.1, 10.0),
        ("max_new_tokens", 1, 1 << 20),
        ("batch_size", 1, 4096),
        ("seed", 0, 2**31 - 1),
    )
    for name, low, high in bounds:
        value = getattr(how, name)
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value:g}.")
    return how


def main() -> int:
    """Command line; returns the exit code."""
    options = _options()

    def work() -> int:
        names = Decoding.__dataclass_fields__
        how = checked(Decoding(**{name: value for name, value in vars(options).items() if name in names}))
        count = generate(options.run_dir.absolute(), options.checkpoint, options.prompts, options.out, how)
        print(f"{count} answers in {options.out}.")
        return 0

    return ends(work)


if __name__ == "__main__":
    raise SystemExit(main())
