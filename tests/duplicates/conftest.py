"""What a process remembers of one test's database is nothing for the next, which has the same address and numbers."""

import pytest

from app.duplicates import shelf


@pytest.fixture(autouse=True)
def no_shelf_of_another_test() -> None:
    """Vectors are read anew in every test."""
    shelf._shelves.clear()
