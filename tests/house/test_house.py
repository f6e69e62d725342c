"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from app import config, orm
from app.db import Database
from app.web.templating import environment

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "training").rglob("*.py")])


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def test_only_the_database_module_commits():
    offenders = [
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if {"commit", "rollback"} & set(_calls(ast.parse(path.read_text("utf-8"))))
    ]
    assert offenders in ([], ["app/db.py"])


def test_nothing_unpickles():
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\bimport (pickle|marshal|shelve|dill)\b", line)
        or ("torch.load(" in line and "weights_only=True" not in line)
    ]
    assert offenders == []


def test_settings_are_documented():
    assert config.as_markdown() in (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_every_template_loads():
    names = environment.list_templates()
    assert names
    for name in names:
        environment.get_template(name)


def test_what_a_button_shows_is_in_its_name():
    """Who speaks to the page says what they see (WCAG 2.5.3)."""
    named = re.compile(r'ui\.(?:button|action|link)\("([^"{]+)"(?:(?!ui\.).)*?"aria-label": "([^"]*)"')
    found = [
        (path.name, seen, said)
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for seen, said in named.findall(path.read_text("utf-8"))
    ]
    assert found
    assert [one for one in found if one[1].lower() not in one[2].lower()] == []


@pytest.mark.parametrize("folder", ["templates"])
def test_templates_have_no_inline_script_or_style(folder: str):
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / folder).rglob("*.html"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", line)
    ]
    assert found == []


def test_relationships_raise_instead_of_loading_behind_anybodys_back():
    lazy = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in orm.Base.registry.mappers
        for relation in mapper.relationships
        if relation.lazy != "raise"
    ]
    assert lazy == []


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_models_and_migrations_agree(database: Database):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        # No tables of SQLAlchemy's: FTS5 on SQLite, words on PostgreSQL, counts; and the list's order, spelt by each.
        unknown = ("candidate_words", "ix__candidate__words", "ix__candidate__pool", "example_words", "example_tally")
        known = {"include_name": lambda name, *_: name is None or not name.startswith(unknown)}
        context = MigrationContext.configure(connection, opts={"compare_type": False, **known})
        assert compare_metadata(context, orm.metadata) == []


def test_the_newest_migration_is_the_last_by_name():
    """What is whole asks no migration tool, so the names of the files have to say what the tool would."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    inner_first = [Path(step.path).name for step in script.walk_revisions()]
    assert inner_first == sorted(inner_first, reverse=True)
    assert all(Path(step.path).name.startswith(f"{step.revision}_") for step in script.walk_revisions())


def test_a_migrated_database_is_only_read(database: Database):
    """A command that reads waits for no writer, not even to find nothing to migrate."""
    seen = []
    event.listen(database.engine, "before_cursor_execute", lambda *asked: seen.append(asked[2]))
    with database.writing() as session:
        session.execute(text("UPDATE project SET name = name"))
        seen.clear()
        database.migrate()
    assert seen
    assert all(statement.lstrip().upper().startswith(("BEGIN DEFERRED", "PRAGMA", "SELECT")) for statement in seen)


def test_a_database_that_is_behind_is_migrated(database: Database):
    from alembic import command
    from alembic.config import Config

    config = Config(ROOT / "alembic.ini")
    config.set_main_option("sqlalchemy.url", database.url.replace("%", "%%"))
    command.downgrade(config, "-1")
    held = text("SELECT version_num FROM alembic_version")
    with database.reading() as session:
        before = session.scalars(held).all()
    database.migrate()
    with database.reading() as session:
        assert session.scalars(held).all() > before


def test_no_template_is_longer_than_a_screenful_or_two():
    long = {
        path.name: lines
        for path in (ROOT / "templates").rglob("*.html")
        if (lines := path.read_text("utf-8").count("\n")) > 160 and path.name != "gallery.html"
    }
    assert long == {}
