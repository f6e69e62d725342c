"""The words that an index holds and the language of searches: the same words, whatever the text is made of."""

from hypothesis import given
from hypothesis import strategies as st

from app.text.search import (
    GAP,
    LONGEST_WORD,
    MOST_BYTES,
    MOST_INDEXED,
    Piece,
    Term,
    Wanted,
    composed,
    entry_of,
    folded,
    fts5_query,
    marked,
    missing_in,
    parse,
    passage,
    pattern_of,
    says_too_much,
    tsquery,
    tsvector_entry,
    words_of,
)  # fmt: skip


def test_words_have_neither_accents_nor_capitals_nor_width():
    assert words_of("Café CAFE\u0301 ＦＵＬＬ Ｗ１ straße İstanbul") == [
        "cafe", "cafe", "full", "w1", "straße", "istanbul",
    ]  # fmt: skip
    assert words_of("snake_case, e-mail; don't 3.14") == ["snake", "case", "e", "mail", "don", "t", "3", "14"]
    assert words_of("東京 tower ガ") == ["東", "京", "tower", "ガ"]
    assert words_of("x" * 200) == ["x" * LONGEST_WORD]


@given(st.text(max_size=200))
def test_folding_moves_no_character(text):
    assert len(folded(composed(text))) == len(composed(text))


@given(st.text(max_size=120))
def test_each_word_of_a_text_is_found_and_marked_in_it(text):
    for word in words_of(text)[:5]:
        wanted = parse(f'"{word}"')
        assert missing_in(text, wanted).all == ()
        pieces = marked(text, pattern_of(wanted))
        assert "".join(piece.text for piece in pieces) == composed(text)
        assert any(piece.hit for piece in pieces)


@given(st.lists(st.text(max_size=80), max_size=3))
def test_an_entry_is_read_by_both_databases(texts):
    entry = entry_of(texts)
    assert all(word and not set(word) & set(" '\"\\:,") for word in entry)
    assert tsvector_entry(entry).count("'") == 2 * len(set(entry))


def test_an_entry_is_bounded_in_words_and_bytes():
    many = entry_of(["a " * 20_000])
    assert len(many) == MOST_INDEXED
    wide = entry_of([" ".join(f"{number:06}" + "𐐨" * 50 for number in range(9000))])
    assert MOST_BYTES * 0.9 < sum(len(word.encode()) for word in wide) <= MOST_BYTES
    assert len(tsvector_entry(many)) < 3000


def test_no_phrase_goes_from_one_text_into_the_next():
    assert entry_of(["hard", "cheese"]) == ["hard", GAP, "cheese", GAP]


def test_terms_are_quoted_for_both_databases():
    wanted = parse('NOT keep "hard cheese" C++ % -e-mail -"a b"')
    every, none = '("not"*) AND ("keep"*) AND ("hard cheese") AND ("§2b" AND "c") AND ("§25")', '("e mail") OR ("a b")'
    assert fts5_query(wanted) == f"({every}) NOT ({none})"
    assert fts5_query(Wanted(none=wanted.none)) == none
    every = "(('not':*)) & (('keep':*)) & (('hard' <-> 'cheese') & 'hard' & 'cheese') & ('§2b' & ('c')) & ('§25')"
    none = "(('e' <-> 'mail') & 'e' & 'mail') | (('a' <-> 'b') & 'a' & 'b')"
    assert tsquery(wanted) == f"{every} & !({none})"
    assert tsquery(Wanted(none=wanted.none)) == none


def test_only_a_word_of_three_letters_finds_longer_ones():
    assert [Term(text).prefix for text in ("ke", "kee", "e-m", "%%%", "東京都")] == [False, True, False, False, False]
    assert not Term("keep", phrase=True).prefix


def test_a_passage_begins_and_ends_with_whole_words():
    text = "one two three four five six seven eight knot " + "nine ten eleven twelve " * 12
    shown = "".join(piece.text for piece in passage([text], pattern_of(parse("knot"))))
    assert shown.startswith(("… five six seven eight knot", "… six seven eight knot"))
    assert shown.removesuffix(" …").split()[-1] in {"nine", "ten", "eleven", "twelve"}


def test_more_than_twelve_terms_are_told():
    assert not says_too_much("a " * 12)
    assert says_too_much("a " * 13)


@given(st.text(max_size=60))
def test_whatever_is_typed_becomes_at_most_twelve_terms(typed):
    wanted = parse(typed)
    assert len(wanted.all) + len(wanted.none) <= 12
    assert all(term.text for term in (*wanted.all, *wanted.none))
    pattern_of(wanted)


def test_a_passage_shows_the_words_marked_and_some_round_them():
    shown = passage(["nothing", "x " * 100 + "Hard cheese keeps." + " y" * 100], pattern_of(parse("keep")))
    assert [piece.text for piece in shown if piece.hit] == ["keeps"]
    assert shown[0].text.startswith("… x")
    assert shown[-1].text.endswith("y …")
    assert passage(["nothing"], pattern_of(parse("keep"))) == ()
    assert passage(["nothing"], pattern_of(parse(""))) == ()
    assert pattern_of(parse("it")).findall("bit it") == ["it"]
    assert Piece("keeps", hit=True) in shown
