"""The picture of a composition: one file, the same bytes for the same manifest, read by machines and by people."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.datasets.card.picture import MOST, SOURCES, composition_svg

SVG = "{http://www.w3.org/2000/svg}"


def row(source: str, count: int, target: int, split: str = "train", colour: int = 1, title: str = "") -> dict[str, Any]:
    title = title or source.capitalize()
    return {"source": source, "split": split, "title": title, "short_title": title[:16], "colour": colour,
            "count": count, "target": target}  # fmt: skip


def manifest(*rows: dict[str, Any], name: str = "Kitchen") -> dict[str, Any]:
    return {"project": {"slug": "kitchen", "name": name}, "version": "v1", "composition": list(rows)}


LIMA = (
    row("stem", 200, 200), row("other", 150, 200, colour=2), row("authors", 20, 0, colour=0),
    row("authors", 50, 50, "dev", 3), row("asked", 10, 70, "test", 8), row("group_b", 230, 230, "test", 7),
)  # fmt: skip


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def squares(picture: ET.Element, colour: int, *, faint: bool) -> int:
    found = picture.iter(f"{SVG}path")
    mine = [one for one in found if one.get("class") == f"s{colour}" and (one.get("fill-opacity") is not None) == faint]
    return sum(one.attrib["d"].count("M") for one in mine)


def words_in(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def test_each_example_is_a_square_and_each_missing_one_a_faint_one():
    picture = read(composition_svg(manifest(*LIMA)))
    assert (squares(picture, 1, faint=False), squares(picture, 1, faint=True)) == (200, 0)
    assert (squares(picture, 2, faint=False), squares(picture, 2, faint=True)) == (150, 50)
    assert (squares(picture, 0, faint=False), squares(picture, 0, faint=True)) == (20, 0)
    assert "150 of 200" in words_in(picture)
    assert "One square is" not in " ".join(words_in(picture))


def test_dev_and_test_are_bars_as_full_as_their_target_is():
    picture = read(composition_svg(manifest(*LIMA)))
    assert "dev: Authors" in words_in(picture)
    assert "test: Asked 10 of 70, Group_b 230 of 230" in words_in(picture)
    bars = [one for one in picture.iter(f"{SVG}rect") if one.get("height") == "14"]
    ends = [(one.get("class"), int(one.attrib["width"]), one.get("fill-opacity")) for one in bars]
    full = next(width for name, width, _ in ends if name == "s3")
    asked = [(width, faint) for name, width, faint in ends if name == "s8"]
    assert [faint for _, faint in asked] == [None, "0.25"]
    assert asked[0][0] == pytest.approx(full * 10 / 300, abs=1)
    assert sum(width for name, width, _ in ends if name in {"s7", "s8"}) == full


def test_a_large_set_groups_examples_and_says_so():
    picture = read(composition_svg(manifest(row("stem", 90_000, 90_000), row("few", 3, 3, colour=2))))
    total = squares(picture, 1, faint=False) + squares(picture, 2, faint=False)
    assert MOST * 0.9 < total <= MOST + 1
    assert squares(picture, 2, faint=False) == 1
    assert "One square is 61 examples." in words_in(picture)


def test_without_a_target_sources_differ_in_colour():
    rows = [row(f"source{number}", 3, 0, colour=0) for number in range(10)]
    picture = read(composition_svg(manifest(*rows)))
    assert {one.get("class") for one in picture.iter(f"{SVG}path")} == {f"s{number}" for number in range(1, 9)}


def test_it_describes_itself_is_its_own_ground_and_knows_light_and_dark():
    text = composition_svg(manifest(*LIMA))
    picture = read(text)
    assert picture.attrib["role"] == "img"
    assert picture.findtext(f"{SVG}title") == "Composition of Kitchen, v1"
    assert "Other (train) 150 of 200" in (picture.findtext(f"{SVG}desc") or "")
    ground = next(picture.iter(f"{SVG}rect"))
    assert (ground.attrib["width"], ground.attrib["height"]) == (picture.attrib["width"], picture.attrib["height"])
    style = picture.findtext(f"{SVG}style") or ""
    assert style.startswith("@media (prefers-color-scheme: dark)")
    assert all(f".s{number}{{fill:{dark}}}" in style for number, (_, dark) in enumerate(SOURCES))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_equal_manifests_have_equal_bytes():
    assert composition_svg(manifest(*LIMA)) == composition_svg(manifest(*(dict(one) for one in LIMA)))


def test_names_of_people_cannot_break_it():
    hard = row("x", 1, 1, title='<script>&"\x00\x1b]]></svg> ' + "very " * 30)
    picture = read(composition_svg(manifest(hard, name="</title><script>1</script>")))
    assert list(picture.iter(f"{SVG}script")) == []
    assert any(words.startswith("<script>&") and words.endswith("…") for words in words_in(picture))


@pytest.mark.parametrize("rows", [(), (row("x", 0, 0),), (row("x", 0, 5),), (row("x", 2, 0, "test"),)])
def test_the_smallest_sets_have_a_picture_too(rows):
    picture = read(composition_svg(manifest(*rows)))
    assert int(picture.attrib["height"]) > 0
    assert squares(picture, 1, faint=False) == sum(one["count"] for one in rows)
