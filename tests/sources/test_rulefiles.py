"""Rules as files: what is read from TOML, YAML and JSON, what is written, what is refused; by shell and API too."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.records import Message, Record
from app.sources.rulefiles import LARGEST, rules_as_toml, ruleset_from_file, ruleset_from_text
from app.sources.rules import ALL, Language, Length, Profanity, References, Rule, Score
from app.sources.rules.base import parameter
from app.sources.rulesets import LIMA, NONE, PRESETS, BadRules, Ruleset, parameters, ruleset_from
from tests.commands import Shell

CHOSEN = Ruleset((Length(minimum=3), Score(minimum=4), Language(keep=("en", "de"))))
TOML = """
[[rule]]
rule = "length"
minimum = 3

[[rule]]
rule = "score"
on = true
minimum = 4

[[rule]]
rule = "language"
keep = ["en", "de"]
"""
YAML = """
rules:
  - rule: length
    minimum: 3
  - rule: score
    on: true
    minimum: 4
  - {rule: language, keep: [en, de]}
"""
JSON = json.dumps(CHOSEN.as_dict())


@pytest.mark.parametrize("text", [TOML, YAML, JSON, f"[{JSON[JSON.index('{', 1) : -2]}]", "\ufeff" + TOML])
def test_one_set_in_every_form(text, tmp_path):
    (tmp_path / "rules").write_text(text, "utf-8")
    assert ruleset_from_file(tmp_path / "rules") == CHOSEN


@pytest.mark.parametrize(("name", "text"), [("r.toml", TOML), ("r.yaml", YAML), ("r.yml", YAML), ("r.json", JSON)])
def test_the_ending_of_a_name_says_the_form(name, text):
    assert ruleset_from_text(text, name) == CHOSEN
    with pytest.raises(BadRules, match=f"in {name} cannot be read as"):
        ruleset_from_text("[a", name)


def test_a_single_word_is_a_preset():
    assert ruleset_from_text(" lima\n") == LIMA
    assert ruleset_from_text("none") == NONE
    with pytest.raises(BadRules, match="limes"):
        ruleset_from_text("limes")


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_written_reads_back(name):
    assert ruleset_from_text(rules_as_toml(PRESETS[name])) == PRESETS[name]


def test_a_written_file_says_what_each_rule_is_for_and_its_hash():
    written = rules_as_toml(ruleset_from({"rules": [{"rule": "score"}, {"rule": "links", "on": False, "maximum": 9}]}))
    assert "many readers found it good" in written
    assert Ruleset((Score(),)).sha256 in written
    read = ruleset_from_text(written)
    assert [(rule.name, rule.maximum) for rule in read.off] == [("links", 9)]


WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20), max_size=5)


@given(st.permutations(ALL), st.integers(0, len(ALL)), WORDS)
def test_any_set_is_the_same_after_a_round_through_a_file(kinds, count, words):
    given_rules = [{"rule": kind.name} for kind in kinds[:count]]
    for one in given_rules:
        if one["rule"] in {"references", "profanity"}:
            one["phrases" if one["rule"] == "references" else "words"] = words
    chosen = ruleset_from({"rules": given_rules})
    read = ruleset_from_text(rules_as_toml(chosen), "r.toml")
    assert read == chosen
    assert read.sha256 == chosen.sha256


@pytest.mark.parametrize(("text", "words"), [
    ("a: &a [x]\nb: [*a, *a]", "line 2 has an alias"),
    ("rules: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ("- rule: score\n  on: yes\n", "true or false as `on`"),
    ("just some words", "must be one table"),
    ('{"rules": ' + '{"a":' * 15_000, "nested too deep"),
    ("[" * 30_000, "cannot be read"),
    ("[[rule]]\nrule = 'scores'", "no rule called 'scores'"),
    ("x" * (LARGEST + 1), "longer than 100,000 characters"),
    ('- rule: references\n  phrases: ["a\\0"]', "NUL"),
])  # fmt: skip
def test_what_is_no_rules_file_is_refused_in_a_sentence(text, words):
    started = time.process_time()
    with pytest.raises(BadRules, match=words):
        ruleset_from_text(text)
    assert time.process_time() - started < 2


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 20))
    with pytest.raises(BadRules, match="alias"):
        ruleset_from_text(f"l0: &l0 [x, x]\n{levels}")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "rules.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRules, match=r"rules\.toml cannot be read"):
        ruleset_from_file(tmp_path / "rules.toml")


# --- by shell and API


@pytest.fixture
def handpicked(capsys, monkeypatch):
    """Runs a command without a database: its code, its output, its errors."""
    shell = Shell(monkeypatch, capsys)

    def run(*words):
        ended = shell(*words)
        return ended.returncode, ended.stdout, ended.stderr

    return run


def test_the_shell_lists_the_rules_with_their_parameters(handpicked):
    code, out, _ = handpicked("rules", "--json")
    document = json.loads(out)
    assert code == 0
    assert [rule["rule"] for rule in document["rules"]] == [kind.name for kind in ALL]
    (length,) = [rule for rule in document["rules"] if rule["rule"] == "length"]
    assert [(one["name"], one["default"]) for one in length["parameters"]][:2] == [("minimum", 1200), ("maximum", 4096)]
    assert ruleset_from(document["presets"]["lima"]) == LIMA
    code, out, _ = handpicked("rules")
    assert "length (minimum = 1200, maximum = 4096, of = visible)" in out
    assert "preset lima-reddit" in out


def test_the_shell_prints_a_preset_or_a_file_as_a_rules_file(handpicked, tmp_path):
    _, out, _ = handpicked("rules", "lima")
    assert ruleset_from_text(out) == LIMA
    (tmp_path / "mine.yaml").write_text(YAML)
    _, out, _ = handpicked("rules", str(tmp_path / "mine.yaml"), "--json")
    assert json.loads(out) == CHOSEN.as_dict() | {"sha256": CHOSEN.sha256}


def test_a_file_that_is_none_ends_with_1_and_a_sentence(handpicked, tmp_path):
    code, out, err = handpicked("rules", str(tmp_path / "none.toml"))
    assert (code, out) == (1, "")
    assert "none.toml cannot be read" in err


def test_the_api_lists_the_rules_for_whoever_is_signed_in(api, people):
    answer = api(people.stranger).get("/api/v1/rules")
    assert answer.status_code == 200
    assert [rule["rule"] for rule in answer.json()["rules"]] == [kind.name for kind in ALL]
    profanity = next(rule for rule in answer.json()["rules"] if rule["rule"] == "profanity")
    assert profanity["parameters"][0]["default"] == list(Profanity().words)
    assert ruleset_from(answer.json()["presets"]["lima"]).rules[-1] == References()


# --- what the documentation says

RULES_PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


def test_the_documented_file_reads():
    example = RULES_PAGE.split("```toml\n")[1].split("```")[0]
    assert [rule.name for rule in ruleset_from_text(example).rules] == [
        *("score", "length", "first_person", "personal_data"),
    ]


def test_the_documentation_names_every_rule_with_its_settings_and_every_preset():
    cells = [line.split("|")[1:-1] for line in RULES_PAGE.splitlines() if line.startswith("| `")]
    rows = {row[0].strip("` "): row[-1] for row in cells}
    for kind in ALL:
        for one in parameters(kind):
            value = f"{one.value:,}" if one.kind == "int" else one.value if isinstance(one.value, str) else ""
            assert f"`{one.name}`" in rows[kind.name]
            assert value in rows[kind.name]
    for name, ruleset in PRESETS.items():
        assert name in rows
        assert all(f"`{rule.name}`" in RULES_PAGE for rule in ruleset.rules)


def test_the_documented_rule_works():
    written = RULES_PAGE.split("```python\n")[1].split("```")[0]
    names = {"dataclass": dataclass, "ClassVar": ClassVar, "Rule": Rule, "Record": Record, "parameter": parameter}
    exec(written, names)  # noqa: S102 - our own documentation
    rule = names["NoQuestionBack"]()
    asked = Record("s", "1", "t", (Message("user", "q"), Message("assistant", "And you? ")))
    assert Ruleset((rule,)).decide(asked).reason == "it ends in a question"
    assert [one.name for one in parameters(rule)] == ["longest"]
