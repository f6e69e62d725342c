"""Products of whole numbers: exact sums, vectors that no batch changes, as near to float32 as is said."""

import copy

import numpy as np
import pytest

from app.embeddings import encoder as module
from app.embeddings import engines, integers, measured
from app.embeddings.encoder import EIGHT_BITS, EightBitsTooFar, NoEightBits, load_encoder
from app.embeddings.forward import Linear, _code, _gelu, _multiply, _shared
from app.embeddings.integers import EIGHTHS, HALVES, LONGEST_COLUMN, LONGEST_ROW, Integers, _packed
from app.embeddings.light import _gelu as gelu_of_light
from app.embeddings.tiles import ROWS, WIDTH, processor_has_them
from tests.embeddings.test_engines import TEXTS

pytestmark = pytest.mark.skipif(not processor_has_them(), reason="the processor has no AVX512-VNNI")
LONG = ["word " * 700, "Wie hält man Sauerteig zwei Wochen lang am Leben? 我想知道。 كيف؟", "a", " ".join(TEXTS[:30])]


@pytest.fixture(scope="module")
def plain():
    return load_encoder()


@pytest.fixture(scope="module")
def tokens(plain):
    return plain._tokens(TEXTS + LONG)


@pytest.fixture(scope="module")
def wanted(plain, tokens):
    return np.concatenate([engines.plain(plain.model).vectors([one]) for one in tokens])


@pytest.fixture(scope="module", params=[HALVES, EIGHTHS], ids=["16", "8"])
def form(request):
    return request.param


@pytest.fixture(scope="module")
def halves():
    return Integers(load_encoder(light=True), HALVES, 2)


@pytest.fixture(scope="module")
def eighths():
    return Integers(load_encoder(light=True), EIGHTHS, 2)


def test_the_sums_are_exact_whatever_the_rows_and_columns_are(form):
    """Also of rows and columns that are as long as they may be and all in one direction, where sums are greatest."""
    draw = np.random.default_rng(3)
    for inner in (32, 384, 1536):
        weights = draw.normal(size=(2 * WIDTH, inner)).astype(np.float32)
        weights[0], weights[1, 0], weights[2] = 1, 1000, -1
        rows = draw.normal(size=(ROWS, inner)).astype(np.float32) * draw.lognormal(size=(ROWS, 1)).astype(np.float32)
        rows[0], rows[1, 0], rows[2], rows[3] = 1, 1000, -1, 0
        parts = _packed(weights, np.zeros(2 * WIDTH, np.float32), form)
        linear = Linear(*(part[None] for part in parts))
        coded = np.empty((ROWS, inner), form.rows)
        for row, code in zip(rows, coded, strict=True):
            _code(row, code, form.coding)
        sums = np.empty((ROWS, 2 * WIDTH), np.int32)
        _multiply(coded, 0, linear, 0, sums)
        told = np.rint(weights.astype(np.float64) / parts[1].astype(np.float64)[:, None]).astype(np.int64)
        exact = coded.astype(np.int64) @ told.T
        assert np.abs(exact).max() < 2**31
        assert (sums == exact).all()


def test_no_sum_is_beyond_32_bits():
    assert (LONGEST_ROW + np.sqrt(4096) / 2) * (LONGEST_COLUMN + np.sqrt(4096) / 2) < 2**31


def test_what_lies_between_two_products_is_as_exact_as_float32_tells():
    points = np.linspace(-12, 12, 4001, dtype=np.float32)
    found = np.array([_gelu(one) for one in points])
    assert np.abs(found - gelu_of_light(points)).max() < 1e-5
    scores = np.random.default_rng(1).normal(size=320).astype(np.float32) * 40
    shares = scores.copy()
    _shared(shares, 300, np.float32(0.5))
    true = np.exp((scores[:300].astype(np.float64) - scores[:300].max()) * 0.5)
    assert np.abs(shares[:300] - true / true.sum()).max() < 1e-5
    assert shares[300:].max() < 1e-30


def test_in_16_bits_the_vectors_are_those_of_float32(halves, tokens, wanted):
    cosines = np.einsum("nd,nd->n", halves.vectors(tokens), wanted)
    assert cosines.min() > 0.99999


def test_in_8_bits_they_are_near_and_the_same_for_what_is_typed(eighths, tokens, wanted):
    found = eighths.vectors(tokens)
    assert 0.995 < np.einsum("nd,nd->n", found, wanted).mean() < 0.9999
    typed = load_encoder(EIGHT_BITS, light=True).encode([*TEXTS, *LONG])
    assert (typed == found).all(), "what somebody types is what is stored, to the last bit"


def test_no_batch_and_no_thread_changes_a_vector(form, halves, eighths, tokens):
    engine = halves if form is HALVES else eighths
    together = engine.vectors(tokens)
    alone = np.concatenate([engine.vectors([one]) for one in tokens])
    assert (together == alone).all()
    assert (engine.vectors(tokens[::-1])[::-1] == together).all()


def test_a_text_of_any_length_fits(halves, plain, tokens):
    long = tokens[-4]
    cut = [long[:length] for length in range(1, 60)] + [long[:length] for length in (95, 96, 97, 256)]
    right = np.concatenate([engines.plain(plain.model).vectors([one]) for one in cut])
    assert np.einsum("nd,nd->n", halves.vectors(cut), right).min() > 0.99999


def test_a_model_whose_heads_do_not_fit_is_left_to_others():
    light = copy.copy(load_encoder(light=True))
    object.__setattr__(light, "heads", 24)
    with pytest.raises(ValueError, match="heads"):
        Integers(light, HALVES, 1)


def test_without_the_instructions_there_are_no_8_bits(monkeypatch):
    monkeypatch.setattr(integers, "processor_has_them", lambda: False)
    with pytest.raises(NoEightBits, match="no AVX512-VNNI"):
        load_encoder(EIGHT_BITS)
    with pytest.raises(NoEightBits):
        load_encoder(EIGHT_BITS, light=True)


def test_a_model_of_another_kind_has_no_8_bits(monkeypatch):
    monkeypatch.setattr(module, "light_encoder", lambda *_rest: None)
    with pytest.raises(NoEightBits, match="BERT"):
        load_encoder(EIGHT_BITS)


def test_how_near_8_bits_are_is_measured_before_the_first_vector(plain, settings):
    mine = load_encoder(EIGHT_BITS)
    assert (mine.name, mine.key) == ("all-MiniLM-L6-v2, 8 bits", plain.key + "+i8")
    mine.encode(TEXTS[:3])
    assert mine.choice.texts == 3
    mine.encode(TEXTS)
    assert mine.choice.texts == module.TRIAL_TEXTS
    assert engines.LEAST_MEAN <= mine.choice.mean_cosine < 0.9999
    measured.note(settings, mine)
    said = measured.in_words(measured.chosen(settings, mine.key))
    assert "mean cosine to it 0.99" in said
    assert measured.chosen(settings, plain.key) is None


def test_8_bits_that_are_too_far_are_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(module, "LEAST_MEAN", 0.99999)
    mine = load_encoder(EIGHT_BITS)
    with pytest.raises(EightBitsTooFar, match=r"over 20 of your texts their mean cosine is 0\.99"):
        mine.encode(TEXTS[40:60])
    with pytest.raises(EightBitsTooFar):
        mine.encode(TEXTS[:2])
    few = load_encoder(EIGHT_BITS)
    assert few.encode(TEXTS[:3]).any(axis=1).all(), "so few texts are no ground to refuse"
