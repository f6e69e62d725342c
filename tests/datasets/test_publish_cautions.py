"""What somebody should know before a version leaves, and what the Hub means when it refuses."""

import pytest

from app.datasets.publication.cautions import cautions
from app.datasets.publication.models import Visibility
from app.datasets.publication.operations import NoRepository, repository_named
from app.datasets.publication.words import LONGEST, plain, why
from tests.hubstand import NO_TOKEN

OPEN = {"licence": "CC BY 4.0", "examples": 9}


def manifest(licences=(OPEN,), gates=(), tests=0, writers=()):
    return {
        "licences": list(licences),
        "gates": [{"gate": name, "state": state, "detail": "Found.", "reason": why} for name, state, why in gates],
        "examples": {"train": 9, "dev": 0, "test": tests},
        "people": {"writers": [{"name": name} for name in writers], "approvers": [{"name": name} for name in writers]},
    }


def known(found, visibility=Visibility.PUBLIC, hidden=False):
    return [(one.kind, one.asks) for one in cautions(found, visibility, tests_hidden=hidden)]


@pytest.mark.parametrize(("found", "kinds"), [
    (manifest(), []),
    (manifest([OPEN, {"licence": None, "examples": 2}]), [("unknown licence", True)]),
    (manifest([{"licence": "CC BY-SA 3.0", "examples": 2}]), [("share-alike", True)]),
    (manifest([{"licence": "CC BY-NC-SA 4.0", "examples": 2}]), [
        ("share-alike", True), ("not for commercial use", True),
    ]),
    (manifest([{"licence": "CC BY-ND 4.0", "examples": 2}]), [("not to be changed", True)]),
    (manifest([{"licence": "SALT 1.0", "examples": 2}]), []),
    (manifest(gates=[("personal", "warn", None)]), [("personal data", True)]),
    (manifest(gates=[("personal", "pass", None), ("style", "warn", None)]), []),
    (manifest(gates=[("personal", "overridden", "we asked them")]), [("personal data", True), ("gate", False)]),
    (manifest(writers=["A", "B"]), [("names", False)]),
])  # fmt: skip
def test_what_binds_or_gives_away_is_known_before_it_is_public(found, kinds):
    assert known(found) == kinds


def test_hidden_test_prompts_ask_and_shown_ones_do_not():
    assert known(manifest(tests=3), hidden=True) == [("test prompts", True)]
    assert known(manifest(tests=3)) == known(manifest(), hidden=True) == []


def test_what_is_private_asks_for_nothing_and_tells_of_overridden_gates():
    found = manifest([{"licence": None, "examples": 2}], [("leakage", "overridden", "a trial")], 3, ["A"])
    assert known(found, Visibility.PRIVATE, hidden=True) == [("gate", False)]
    (one,) = cautions(found, Visibility.PRIVATE, tests_hidden=True)
    assert one.words == "It was frozen against the gate leakage (“a trial”); the card says so."


@pytest.mark.parametrize(("status", "headers", "words"), [
    (401, {"X-Error-Message": NO_TOKEN}, "the Hub does not know the token"),
    (401, {}, "does not let the token write to a/b"),
    (403, {}, "give it write access to it, or take another"),
    (404, {"X-Error-Code": "RepoNotFound"}, "does not let the token write to a/b"),
    (403, {"X-Error-Message": "Access to this resource is disabled."}, "the Hub has disabled a/b"),
    (413, {}, "the Hub finds a file too large"),
    (429, {}, "answers no more requests from here for now"),
    (502, {}, "an error of its own (502); try again later"),
    (418, {}, "the Hub refused it (418: short and stout)"),
])  # fmt: skip
def test_each_refusal_says_what_to_do(status, headers, words):
    assert words in why(status, headers, "short and stout", repository="a/b", token_from="the token")


def test_the_hub_s_words_are_short_and_without_the_token():
    assert plain(" it\nis hf_secret ", "hf_secret") == "it is …"
    assert len(plain("x" * 999, "hf_secret")) == LONGEST + 1
    assert plain(None, "hf_secret") == ""


@pytest.mark.parametrize("typed", [
    "a/b", " a/b ", "hf://a/b", "datasets/a/b", "hf://datasets/a/b", "https://huggingface.co/datasets/a/b/",
])  # fmt: skip
def test_a_repository_is_read_out_of_what_people_paste(typed):
    assert repository_named(typed) == "a/b"


@pytest.mark.parametrize("typed", ["", "a", "a/b/c", "a/-b", "a/b-", ".a/b", "a/b?x=1", "a/b#x", "ftp://h/a/b"])
def test_other_words_are_refused(typed):
    with pytest.raises(NoRepository):
        repository_named(typed)
