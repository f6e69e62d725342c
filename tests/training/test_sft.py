"""The loop: pinned losses, the schedule it applies, how it ends, what it leaves behind."""

import fcntl
import json
import platform
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import LINES, losses, pair, result, steps, train, turns
from training.checkpoint import decoding
from training.data import collate, step_rows
from training.errors import Busy, NotFinite
from training.model import add_rows, load_model
from training.prepare import prepare
from training.result import Log
from training.schedule import learning_rate
from training.sft import StopFlag, dev_loss, only_trainer, train_step
from training.spec import RunFolder, RunSpec, spec_from, whole_checkpoints
from training.vocabulary import load_vocabulary

MakeRun = Callable[..., RunFolder]
ROWS = [pair(number) for number in range(10)]
PINNED = [6.1162, 6.0389, 5.8897, 5.7041, 5.6494, 5.6261]
PINNED_WITH_DROPOUT = [6.1209, 6.0350, 5.9017, 5.7320, 5.6706, 5.6481]
NO_DROPOUT = {"residual_dropout": "0"}


def test_pinned_losses(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, **NO_DROPOUT)
    assert train(folder) == 0
    assert losses(folder) == pytest.approx(PINNED, abs=1e-3)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="torch draws dropout masks otherwise on other processors")
def test_pinned_losses_with_dropout(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, residual_dropout="0.3")
    assert train(folder) == 0
    assert losses(folder) == pytest.approx(PINNED_WITH_DROPOUT, abs=1e-3)


def test_smoke_lowers_the_loss_and_tells_the_whole_result(make_run: MakeRun) -> None:
    folder = make_run("run", [pair(number) for number in range(30)])
    base = RunSpec.from_json(folder.spec.read_text()).base_model
    folder.spec.write_text(spec_from("smoke", {"threads": "1"}, base_model=base).to_json())
    assert train(folder) == 0
    told = result(folder)
    assert (told["state"], told["reason"], told["steps"], told["total_steps"]) == ("succeeded", None, 96, 96)
    assert told["last_loss"] < 0.75 * told["first_loss"]
    assert (told["first_loss"], told["last_loss"]) == (losses(folder)[0], losses(folder)[-1])
    assert (told["rows_cut"], told["rows_without_eot"], told["rows"]["rows_used"]) == (0, 0, 30)
    assert told["tokens_per_second"] > 0
    assert [(one["epoch"], one["step"], one["path"]) for one in told["checkpoints"]] == [
        (epoch, epoch * 8, f"checkpoints/epoch-{epoch:02d}") for epoch in range(1, 13)
    ]
    assert len({one["sha256"] for one in told["checkpoints"]}) == 12


def test_each_step_stands_once_with_its_learning_rate(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="3")
    train(folder)
    lines = steps(folder)
    assert [line["step"] for line in lines] == list(range(1, 10))
    assert [line["lr"] for line in lines] == [learning_rate(step, 9, 3e-3, 3e-4) for step in range(9)]
    assert [line["epoch"] for line in lines][2::3] == [1.0, 2.0, 3.0]
    wanted = {"steps", "loss", "grad_norm", "tokens", "tokens_per_second", "seconds_left", "time", "trained_tokens"}
    assert wanted <= set(lines[0])
    assert lines[-1]["seconds_left"] == 0


def test_first_loss_is_the_librarys_own(make_run: MakeRun, tiny: Path) -> None:
    folder = make_run("run", ROWS, batch_size="10", micro_batch="3", epochs="1", **NO_DROPOUT)
    train(folder)
    vocabulary = load_vocabulary(tiny, "<EOT>")
    model = load_model(tiny).eval()
    add_rows(model, vocabulary)
    total, targets = 0.0, 0
    for row in ROWS:
        asked, said = (message["content"] for message in row["messages"])
        context = [*vocabulary.encode(asked), vocabulary.eot]
        answer = [*vocabulary.encode(said), vocabulary.eot]
        ids = torch.tensor([context + answer])
        labels = torch.tensor([[-100] * len(context) + answer])
        with torch.no_grad():
            total += float(model(input_ids=ids, labels=labels).loss) * len(answer)
        targets += len(answer)
    assert losses(folder) == pytest.approx([total / targets], rel=1e-5)


def test_losses_are_those_of_a_plain_loop_over_padded_batches(make_run: MakeRun, tmp_path: Path) -> None:
    """Another way to the same numbers: the library's loss with an attention mask, an unfused AdamW, whole batches."""
    folder = make_run("run", ROWS, micro_batch="2", **NO_DROPOUT)
    train(folder)
    run = prepare(make_run("again", ROWS, **NO_DROPOUT), Log(tmp_path / "log.txt"))
    model, spec = run.model.train(), run.spec
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    others = [weight for weight in model.parameters() if weight.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=spec.peak_lr, betas=(0.9, 0.95), foreach=False, fused=False)
    seen = []
    for step in range(6):
        ids, labels = collate(step_rows(run.rows, spec.seed, step // 3, step % 3, 4), run.vocabulary.pad)
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 - 2.7e-3 * step / 6
        loss = model(input_ids=ids, attention_mask=(ids != run.vocabulary.pad).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seen.append(float(loss.detach()))
    assert losses(folder) == pytest.approx(seen, rel=1e-4)


def test_losses_are_those_of_transformers_trainer(make_run: MakeRun, tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="transformers' Trainer needs accelerate")
    from transformers import Trainer, TrainingArguments

    folder = make_run("run", ROWS[:4], epochs="6", **NO_DROPOUT)
    train(folder)
    run = prepare(make_run("again", ROWS[:4], **NO_DROPOUT), Log(tmp_path / "log.txt"))
    rows = step_rows(run.rows, 0, 0, 0, 4)
    data = [{"input_ids": row.ids, "labels": [token if target else -100 for token, target in
             zip(row.ids, row.trained, strict=True)]} for row in rows]  # fmt: skip

    def collated(_rows: object) -> dict[str, torch.Tensor]:
        ids, labels = collate(rows, run.vocabulary.pad)
        return {"input_ids": ids, "labels": labels, "attention_mask": (ids != run.vocabulary.pad).long()}

    arguments = TrainingArguments(
        output_dir=str(tmp_path / "out"), num_train_epochs=6, per_device_train_batch_size=4, learning_rate=3e-3,
        lr_scheduler_type="polynomial", lr_scheduler_kwargs={"lr_end": 3e-4, "power": 1.0}, adam_beta2=0.95,
        weight_decay=0.1, max_grad_norm=1.0, logging_steps=1, save_strategy="no", report_to=[], use_cpu=True,
        disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(model=run.model, args=arguments, train_dataset=data, data_collator=collated)
    trainer.train()
    seen = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert losses(folder) == pytest.approx(seen, rel=1e-3)


def test_micro_batches_change_no_loss(make_run: MakeRun) -> None:
    whole, parts = (make_run(name, ROWS, micro_batch=name, **NO_DROPOUT) for name in ("4", "1"))
    train(whole)
    train(parts)
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-4)


def test_gradient_checkpointing_changes_no_bit(make_run: MakeRun) -> None:
    plain, checkpointed = (make_run(name, ROWS, gradient_checkpointing=name) for name in ("no", "yes"))
    train(plain)
    train(checkpointed)
    assert losses(checkpointed) == losses(plain)


def test_bf16_keeps_float32_weights(make_run: MakeRun) -> None:
    exact, rough = (make_run(name, ROWS, precision=name, **NO_DROPOUT) for name in ("fp32", "bf16"))
    train(exact)
    train(rough)
    assert losses(rough) != losses(exact)
    assert losses(rough) == pytest.approx(losses(exact), rel=0.02)
    weights = load_file(whole_checkpoints(rough.path)[-1].path / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_loss_on_all_trains_more_tokens(make_run: MakeRun) -> None:
    response, everything = (make_run(name, ROWS, loss_on=name) for name in ("response", "all"))
    train(response)
    train(everything)
    assert steps(everything)[0]["trained_tokens"] == steps(everything)[0]["tokens"] - 4
    assert steps(response)[0]["trained_tokens"] < steps(everything)[0]["trained_tokens"]


def test_a_checkpoint_is_a_model_that_ends_at_eot(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS)
    train(folder)
    path = whole_checkpoints(folder.path)[-1].path
    vocabulary = load_vocabulary(path, "<EOT>")
    config = json.loads((path / "generation_config.json").read_text())
    assert config["eos_token_id"] == vocabulary.eot == decoding(vocabulary).eos_token_id
    assert (config["top_p"], config["temperature"], config["repetition_penalty"]) == (0.9, 0.7, 1.2)
    assert not [file.name for file in path.iterdir() if file.suffix in (".bin", ".pt", ".pkl")]
    text = vocabulary.tokenizer.apply_chat_template(turns("a", "b")["messages"], tokenize=False)
    assert text == "a<EOT>b<EOT>"


def test_only_the_last_checkpoint_carries_the_optimizer(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="3")
    train(folder)
    found = whole_checkpoints(folder.path)
    assert [one.resumable for one in found] == [False, False, True]
    assert [(one.path / "resume.safetensors").exists() for one in found] == [False, False, True]


@pytest.mark.parametrize(("rule", "kept"), [("last", ["epoch-04"]), ("2-3", ["epoch-02", "epoch-03", "epoch-04"])])
def test_epochs_that_are_not_kept_go_once_a_later_one_is_whole(make_run: MakeRun, rule: str, kept: list[str]) -> None:
    folder = make_run("run", ROWS, epochs="4", keep_epochs=rule)
    train(folder)
    assert [one.name for one in whole_checkpoints(folder.path)] == kept
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == kept


def test_dev_loss_stands_at_the_end_of_each_epoch_and_changes_nothing(make_run: MakeRun) -> None:
    without, with_dev = make_run("without", ROWS), make_run("with", ROWS)
    rows = [pair(20), turns("A prompt without a response")]
    with_dev.dev.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train(without)
    train(with_dev)
    assert losses(with_dev) == losses(without)
    assert ["dev_loss" in line for line in steps(with_dev)] == [False, False, True] * 2
    assert steps(with_dev)[2]["dev_loss"] > 0


def test_dev_loss_of_a_model_is_its_loss_without_dropout(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("run", ROWS, residual_dropout="0.5")
    folder.dev.write_text(json.dumps(pair(3)) + "\n")
    run = prepare(folder, Log(tmp_path / "log.txt"))
    run.model.train()
    assert dev_loss(run) == dev_loss(run)
    assert run.model.training


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_weights(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("run", ROWS)
    assert train(folder) == 0
    damaged = tmp_path / "nan"
    model = load_model(whole_checkpoints(folder.path)[-1].path)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[0, 0] = float("nan")
    model.save_pretrained(damaged)
    load_vocabulary(whole_checkpoints(folder.path)[-1].path, "<EOT>").tokenizer.save_pretrained(damaged)
    broken = make_run("broken", ROWS, base=damaged)
    assert train(broken) == 1
    told = result(broken)
    assert (told["state"], told["reason"], told["steps"]) == ("failed", "not_finite", 0)
    assert told["message"].startswith("At step 1 the loss (nan)")
    assert "peak_lr" in told["next_step"]


def test_a_step_without_numbers_changes_no_weight(make_run: MakeRun, tmp_path: Path) -> None:
    run = prepare(make_run("run", ROWS), Log(tmp_path / "log.txt"))
    with torch.no_grad():
        run.model.model.norm.weight[0] = float("inf")
    before = {name: weight.detach().clone() for name, weight in run.model.named_parameters()}
    with pytest.raises(NotFinite, match="At step 1"):
        train_step(run, run.rows[:4], 1e-3)
    assert all(torch.equal(weight, before[name]) for name, weight in run.model.named_parameters())


def test_a_first_step_moves_each_weight_by_the_rate_at_most(make_run: MakeRun, tmp_path: Path) -> None:
    run = prepare(make_run("run", ROWS, **NO_DROPOUT), Log(tmp_path / "log.txt"))
    before = {name: weight.detach().clone() for name, weight in run.model.named_parameters()}
    train_step(run, run.rows[:4], 1e-3)
    moved = {name: float((weight.detach() - before[name]).abs().max()) for name, weight in run.model.named_parameters()}
    assert all(0 < distance <= 1.1e-3 for distance in moved.values())
    assert run.vocabulary.eot in run.rows[0].ids
    embedding = run.model.get_input_embeddings().weight.detach()
    assert not torch.equal(embedding[run.vocabulary.eot], before["model.embed_tokens.weight"][run.vocabulary.eot])


def test_rows_without_anything_to_learn_end_the_run(make_run: MakeRun) -> None:
    folder = make_run("run", [turns("only asked"), turns("x" * 900, "y")])
    assert train(folder) == 1
    told = result(folder)
    assert told["reason"] == "no_trained_tokens"
    assert told["message"] == "None of the 2 rows has a token to learn from within 512 tokens."


def test_cut_rows_are_counted_in_the_result(make_run: MakeRun) -> None:
    folder = make_run("run", [*ROWS, turns("short", " ".join(LINES)), turns("x" * 900, "y")], epochs="1")
    assert train(folder) == 0
    told = result(folder)
    assert (told["rows_cut"], told["rows_without_eot"], told["rows"]["rows_untrained"]) == (2, 2, 1)
    assert told["rows"]["rows_used"] == 11


def test_a_missing_model_ends_the_run_with_a_sentence(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("run", ROWS, base=tmp_path / "nowhere")
    assert train(folder) == 1
    assert (result(folder)["state"], result(folder)["reason"]) == ("failed", "model_refused")


def test_cuda_without_cuda_is_refused(make_run: MakeRun) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    folder = make_run("run", ROWS, device="cuda")
    assert train(folder) == 1
    assert result(folder)["message"] == "device is cuda, but no CUDA device can be used on this machine."


@pytest.mark.parametrize("content", [None, "{", '{"epochs": 0}'])
def test_a_bad_spec_ends_the_run(make_run: MakeRun, content: str | None) -> None:
    folder = make_run("run", ROWS)
    folder.spec.unlink() if content is None else folder.spec.write_text(content)
    assert train(folder) == 1
    assert result(folder)["reason"] == "bad_input"
    assert result(folder)["message"].startswith("spec.json cannot be used:")


def test_a_full_disk_keeps_the_earlier_checkpoint(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="1")
    with largest_file(1_500_000):
        assert train(folder) == 1
    told = result(folder)
    assert (told["reason"], told["checkpoints"]) == ("disk_full", [])
    assert list(folder.checkpoints.iterdir()) == []
    assert train(folder) == 0


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond a size: what a full disk looks like to one writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_finished_run_is_left_alone(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS)
    train(folder)
    before = (folder.result.read_bytes(), folder.progress.stat().st_mtime_ns)
    assert train(folder) == 0
    assert (folder.result.read_bytes(), folder.progress.stat().st_mtime_ns) == before


def test_two_trainers_never_share_a_folder(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS)
    with folder.lock.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="Another trainer is at work"), only_trainer(folder):
            pass
    with only_trainer(folder):
        assert json.loads(folder.process.read_text())["pid"] > 0


def test_a_stop_before_the_first_step(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS)
    folder.stop.touch()
    assert train(folder) == 3
    told = result(folder)
    assert (told["state"], told["steps"], told["total_steps"], told["checkpoints"]) == ("stopped", 0, 6, [])


def test_the_stop_flag_is_false_until_asked(tmp_path: Path) -> None:
    flag = StopFlag(tmp_path / "stop")
    assert not flag
    (tmp_path / "stop").touch()
    assert flag
