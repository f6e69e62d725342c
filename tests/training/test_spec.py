"""Settings: LIMA's values, and a sentence for everything that makes no sense."""

import dataclasses
import subprocess
import sys

import pytest

from training.spec import RECIPES, RunSpec, keeps_epoch, settings, spec_from, steps_per_epoch


def test_lima_is_the_recipe_of_the_paper() -> None:
    spec = RECIPES["lima"]
    assert (spec.peak_lr, spec.floor_lr) == (1e-5, 1e-6)
    assert (spec.beta1, spec.beta2, spec.weight_decay) == (0.9, 0.95, 0.1)
    assert (spec.batch_size, spec.epochs, spec.max_tokens) == (32, 15, 2048)
    assert (spec.residual_dropout, spec.loss_on, spec.eot_token) == (0.3, "response", "<EOT>")


def test_lima_small_changes_dropout_and_batch_only() -> None:
    same = dataclasses.replace(RECIPES["lima-small"], recipe="lima", residual_dropout=0.3, batch_size=32)
    assert (RECIPES["lima-small"].residual_dropout, RECIPES["lima-small"].batch_size) == (0.2, 64)
    assert same == RECIPES["lima"]


def test_a_thousand_rows_make_480_steps_with_the_short_batch_kept() -> None:
    assert steps_per_epoch(1000, 32) * 15 == 480
    assert steps_per_epoch(2000, 64) * 15 == 480


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("peak_lr", "nan", "peak_lr must be a number from 1e-09 to 1, not 'nan'."),
        ("peak_lr", "inf", "peak_lr must be a number from 1e-09 to 1, not 'inf'."),
        ("peak_lr", "-h", "peak_lr must be a number from 1e-09 to 1, not '-h'."),
        ("epochs", "1000000000", "epochs must be a whole number from 1 to 1000, not '1000000000'."),
        ("epochs", "1.5", "epochs must be a whole number from 1 to 1000, not '1.5'."),
        ("epochs", "$(id)", "epochs must be a whole number from 1 to 1000, not '$(id)'."),
        ("epochs", "", "epochs must be a whole number from 1 to 1000, not ''."),
        ("seed", "-1", "seed must be a whole number from 0 to 2147483647, not '-1'."),
        ("device", "tpu; rm -rf", "device must be auto or cpu or cuda, not 'tpu; rm -rf'."),
        ("gradient_checkpointing", "maybe", "gradient_checkpointing must be true or false, not 'maybe'."),
        ("eot_token", "a\nb", "eot_token must be 1 to 40 visible ASCII characters, not 'a\\nb'."),
        ("keep_epochs", "5-", "keep_epochs must be all, last, or a range such as 5-10, not '5-'."),
        ("peak_lr", "1e-7", "floor_lr must be at most peak_lr (1e-07), not 1e-06."),
        ("base_model", "/etc", "base_model cannot be set this way; choose a registered model and a recipe instead."),
    ],
)
def test_nonsense_is_refused_with_the_key_and_its_bounds(key: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=key) as refusal:
        spec_from("lima", {key: text})
    assert str(refusal.value) == sentence


def test_an_unknown_key_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match=r"There is no setting 'output_dir'; settings are .*peak_lr"):
        spec_from("lima", {"output_dir": "../../"})


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ValueError, match="recipe must be one of lima, lima-small, smoke, not 'qlora'"):
        spec_from("qlora", {})


def test_words_become_values_of_the_right_type() -> None:
    spec = spec_from("lima", {"epochs": " 3 ", "peak_lr": "2e-5", "gradient_checkpointing": "yes"}, base_model="/m")
    assert (spec.epochs, spec.peak_lr, spec.gradient_checkpointing, spec.base_model) == (3, 2e-5, True, "/m")


@pytest.mark.parametrize("recipe", RECIPES)
def test_json_round_trip(recipe: str) -> None:
    assert RunSpec.from_json(RECIPES[recipe].to_json()) == RECIPES[recipe]


@pytest.mark.parametrize("text", ["", "[]", '{"epochs": 1e9}', '{"peak_lr": NaN}', '{"x": 1}', '{"epochs": true}'])
def test_a_bad_spec_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        RunSpec.from_json(text)


def test_settings_offer_every_field_but_recipe_and_model() -> None:
    offered = {setting.name: setting for setting in settings("smoke")}
    assert set(offered) == {field.name for field in dataclasses.fields(RunSpec)} - {"recipe", "base_model"}
    assert offered["peak_lr"].default == "0.003"
    for setting in offered.values():
        assert spec_from("smoke", {setting.name: setting.default}) == RECIPES["smoke"]


@pytest.mark.parametrize(("rule", "kept"), [("all", [1, 5, 10, 15]), ("last", []), ("5-10", [5, 10])])
def test_which_epochs_are_kept(rule: str, kept: list[int]) -> None:
    spec = spec_from("lima", {"keep_epochs": rule})
    assert [epoch for epoch in (1, 5, 10, 15) if keeps_epoch(spec, epoch)] == kept


def test_the_contract_loads_no_torch() -> None:
    code = "import training.spec, sys; sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'app')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
