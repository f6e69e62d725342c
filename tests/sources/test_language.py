"""Plain English is told without the model of languages, and never where the model says otherwise."""

import sys

import py3langid
import pytest

from app.sources.formats import open_source
from app.sources.rules.language import language_of, plainly_english

HUT = "The hut stands at the edge of the wood, and whoever wants to climb up at night should bring a lamp with them. "
OTHERS = {
    "de": "Die Hütte steht am Rand des Waldes, und wer abends noch hinauf will, sollte eine Lampe dabei haben. ",
    "nl": "De hut staat aan de rand van het bos en wie 's avonds nog naar boven wil, moet een lamp meenemen. ",
    "fr": "La cabane se trouve au bord de la forêt, et qui veut y monter le soir devrait emporter une lampe. ",
}


def test_english_needs_no_model(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    assert language_of(HUT * 4) == "en"
    with pytest.raises(ImportError):
        language_of(OTHERS["de"] * 4)


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages_are_asked_of_the_model_also_in_a_text_that_begins_or_ends_in_english(language):
    other = OTHERS[language]
    assert language_of(other * 4) == language
    for text in (other * 4, HUT * 4 + other * 4, other * 4 + HUT * 4, HUT * 3 + other * 3 + HUT * 3):
        assert not plainly_english(text.lower().split())


@pytest.mark.parametrize("data", ["writingprompts_stories_csv", "wikihow_html_2020-08-21", "reddit_top_posts_csv"])
def test_the_model_agrees_on_real_texts(shared_data, data):
    records = open_source(shared_data / data).records()
    texts = [message.content[:2000] for one in records for message in one.messages]
    plain = [text for text in texts if plainly_english(text.lower().split())][:300]
    assert len(plain) > 5
    assert {py3langid.classify(text)[0] for text in plain} == {"en"}
