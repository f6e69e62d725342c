"""Languages are read and typed by name; what is stored is their code."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.text.languages import code_of, name_of, name_with_code, names
from app.web.forms import Language


@pytest.mark.parametrize(
    ("code", "name", "with_code"),
    [
        ("de", "German", "German (de)"),
        ("pt-BR", "Portuguese (BR)", "Portuguese (pt-BR)"),
        ("zh-Hant", "Chinese (Hant)", "Chinese (zh-Hant)"),
        ("gsw", "gsw", "gsw"),
        ("", "", ""),
    ],
)
def test_a_code_is_read_as_a_name(code, name, with_code):
    assert (name_of(code), name_with_code(code), code_of(with_code)) == (name, with_code, code)


@pytest.mark.parametrize("typed", ["de", "German", " german ", "German (de)", "DE", "german ( DE )"])
def test_a_name_is_taken_for_its_code(typed):
    assert TypeAdapter(Language).validate_python(typed) == "de"


@pytest.mark.parametrize("typed", ["Deutsch", "German (Germany)", "d", "zz", "xx-DE", "", 5, None])
def test_what_is_no_language_is_refused(typed):
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(typed)


@pytest.mark.parametrize("typed", ["pt-br", "PT-BR", "Portuguese (BR)", "Portuguese (pt-BR)"])
def test_a_region_is_no_language_of_its_own(typed):
    assert TypeAdapter(Language).validate_python(typed) == "pt-BR"


def test_every_name_is_that_of_one_code():
    assert len(names()) == 183
    assert {code_of(name) for name in names().values()} == set(names())
    assert list(names().values()) == sorted(names().values())
