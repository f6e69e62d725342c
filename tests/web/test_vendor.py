"""What lies in static/vendor is what VENDOR.md says, and nothing else."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "static" / "vendor"
ROW = re.compile(
    r"^\| (?P<name>\S+) \| (?P<version>\S+) \| (?P<licence>\S+) \| (?P<file>\S+) \| (?P<sha>[0-9a-f]{64}) \|$",
    re.MULTILINE,
)


def rows() -> list[dict[str, str]]:
    return [found.groupdict() for found in ROW.finditer((VENDOR / "VENDOR.md").read_text("utf-8"))]


def test_every_vendored_file_has_the_hash_that_vendor_md_says() -> None:
    assert rows()
    for row in rows():
        assert hashlib.sha256((VENDOR / row["file"]).read_bytes()).hexdigest() == row["sha"], row["file"]


def test_no_file_lies_there_that_vendor_md_does_not_name() -> None:
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert present == {row["file"] for row in rows()} | {"VENDOR.md"}


def test_every_package_comes_with_its_licence_and_its_version_in_the_name() -> None:
    for row in rows():
        assert row["version"] in row["file"]
    licensed = {row["name"] for row in rows() if row["file"].startswith("licences/")}
    assert licensed == {row["name"] for row in rows()}


def test_every_vendored_file_that_styles_and_scripts_name_exists() -> None:
    sources = [*(ROOT / "static").glob("*.css"), *(ROOT / "static" / "js").glob("*.mjs")]
    named = [
        (source.name, path)
        for source in sources
        for path in re.findall(r"[\"'](?:\.\./)?vendor/([^\"']+)[\"']", source.read_text("utf-8"))
    ]
    assert len(named) >= 10
    for source, path in named:
        assert (VENDOR / path).is_file(), f"{source} names {path}"


def test_versions_agree_with_package_json() -> None:
    wanted = dict(
        re.findall(r'"((?:@[\w-]+/)?[\w.-]+)": "(\d+\.\d+\.\d+)"', (ROOT / "package.json").read_text("utf-8"))
    )
    for row in rows():
        assert wanted[row["name"]] == row["version"]
