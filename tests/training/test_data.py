"""Text into ids, the loss mask, the trim and its report."""

import json
from pathlib import Path

import pytest

from tests.training.conftest import turns
from training.data import collate, encode_row, encode_rows, epoch_order, micro_batches, read_rows, step_rows
from training.errors import BadInput
from training.vocabulary import Vocabulary, load_vocabulary


@pytest.fixture(scope="module")
def vocabulary(tiny: Path) -> Vocabulary:
    return load_vocabulary(tiny, "<EOT>")


def row(*texts: str) -> dict[str, object]:
    return {"id": "1", **turns(*texts)}


def test_eot_differs_from_eos_and_pad(vocabulary: Vocabulary) -> None:
    ids = {vocabulary.eot, vocabulary.pad, vocabulary.tokenizer.eos_token_id}
    assert len(ids) == 3
    assert vocabulary.tokenizer.convert_ids_to_tokens(vocabulary.eot) == "<EOT>"


def test_every_utterance_ends_with_eot_and_only_the_response_is_trained(vocabulary: Vocabulary) -> None:
    encoded = encode_row(row("Hello?", "Yes."), vocabulary, "response", 100)
    asked, said = vocabulary.encode("Hello?"), vocabulary.encode("Yes.")
    assert encoded.ids == [*asked, vocabulary.eot, *said, vocabulary.eot]
    assert encoded.trained == [False] * (len(asked) + 1) + [True] * (len(said) + 1)
    assert encoded.closed


def test_each_response_of_a_dialogue_is_trained(vocabulary: Vocabulary) -> None:
    encoded = encode_row(row("a", "b", "c", "d"), vocabulary, "response", 100)
    assert encoded.trained == [False, False, True, True] * 2


def test_a_system_message_is_context(vocabulary: Vocabulary) -> None:
    messages = [{"role": "system", "content": "s"}, *turns("a", "b")["messages"]]
    encoded = encode_row({"id": "1", "messages": messages}, vocabulary, "response", 100)
    assert encoded.trained == [False] * 4 + [True] * 2


def test_with_loss_on_all_everything_but_the_first_token_is_trained(vocabulary: Vocabulary) -> None:
    encoded = encode_row(row("Hello?", "Yes."), vocabulary, "all", 100)
    assert encoded.trained == [False] + [True] * (len(encoded.ids) - 1)


@pytest.mark.parametrize("typed", ["<EOT>", "<|end|>", "<PAD>"])
def test_a_typed_control_token_stays_text(vocabulary: Vocabulary, typed: str) -> None:
    encoded = encode_row(row(f"Say {typed} to me", typed), vocabulary, "response", 100)
    control = {vocabulary.eot, vocabulary.pad, vocabulary.tokenizer.eos_token_id}
    assert [token for token in encoded.ids if token in control] == [vocabulary.eot] * 2
    assert vocabulary.decode(encoded.ids) == f"Say {typed} to me{typed}"


def test_eot_is_a_label_of_every_untrimmed_row(vocabulary: Vocabulary) -> None:
    rows = [encode_row(row("ask " * at, "answer " * at), vocabulary, "response", 500) for at in range(1, 20)]
    _, labels = collate(rows, vocabulary.pad)
    assert not any(one.cut for one in rows)
    assert (labels == vocabulary.eot).sum(dim=1).tolist() == [1] * len(rows)
    assert [int(line[line != -100][-1]) for line in labels] == [vocabulary.eot] * len(rows)


def test_the_trim_is_counted(vocabulary: Vocabulary) -> None:
    rows = [row("a", "b"), row("a", "b" * 300), row("a" * 300, "b"), row("a", "b", "c" * 300, "d"), row("only a")]
    used, report = encode_rows(rows, vocabulary, "response", 20)
    assert [len(one.ids) for one in used] == [4, 20, 20]
    assert (report.rows, report.rows_used, report.rows_untrained) == (5, 3, 2)
    assert report.rows_cut == 3
    # The dialogue loses its second answer, but the first one's EOT is still taught.
    assert report.rows_without_eot == 3
    assert report.tokens == 44
    assert report.trained_tokens == 2 + 18 + 2
    assert report.longest == 20


def test_a_row_of_exactly_the_limit_is_not_cut(vocabulary: Vocabulary) -> None:
    assert not encode_row(row("a", "b"), vocabulary, "response", 4).cut
    assert encode_row(row("a", "b"), vocabulary, "response", 3).cut


def test_padding_is_never_a_label(vocabulary: Vocabulary) -> None:
    rows = [encode_row(row("a", "b"), vocabulary, "response", 99), encode_row(row("a", "bcd"), vocabulary, "all", 99)]
    ids, labels = collate(rows, vocabulary.pad)
    assert ids[0].tolist()[4:] == [vocabulary.pad] * (ids.shape[1] - 4)
    assert labels[0].tolist()[4:] == [-100] * (ids.shape[1] - 4)


def test_each_epoch_sees_every_row_once_in_another_order(vocabulary: Vocabulary) -> None:
    rows = [encode_row({"id": str(at), **turns("a", "b")}, vocabulary, "response", 99) for at in range(10)]
    orders = [[one.id for index in range(3) for one in step_rows(rows, 7, epoch, index, 4)] for epoch in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == [str(at) for at in range(10)]
    assert orders[0] != orders[1]
    assert len(step_rows(rows, 7, 0, 2, 4)) == 2
    assert epoch_order(10, 7, 0) != epoch_order(10, 8, 0)


def test_micro_batches_hold_all_rows_by_length(vocabulary: Vocabulary) -> None:
    rows = [encode_row(row("a", "b" * at), vocabulary, "response", 99) for at in (9, 1, 5, 3, 7)]
    parts = list(micro_batches(rows, 2))
    assert [len(part) for part in parts] == [2, 2, 1]
    lengths = [len(one.ids) for part in parts for one in part]
    assert lengths == sorted(len(one.ids) for one in rows)


def test_rows_with_odd_line_separators_inside_are_one_row(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(json.dumps(turns("a\u2028b", "c\x85d"), ensure_ascii=False) + "\n", "utf-8")
    assert read_rows(file)[0]["messages"][0]["content"] == "a\u2028b"


@pytest.mark.parametrize(
    "bad", ["{", "[]", '{"messages": []}', '{"messages": [{"role": "robot", "content": "a"}]}',
            '{"messages": [{"role": "user", "content": 1}]}', '{"messages": {"role": "user"}}']
)  # fmt: skip
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, bad: str) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(json.dumps(turns("a", "b")) + "\n" + bad + "\n")
    with pytest.raises(BadInput, match=r"^Line 2 of train\.jsonl is not a row"):
        read_rows(file)


def test_invalid_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_bytes(b'{"messages": "\xff"}')
    with pytest.raises(BadInput, match=r"train\.jsonl cannot be read"):
        read_rows(file)
