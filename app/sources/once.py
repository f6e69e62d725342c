"""A value that is made when it is first asked for, without the lock that functools.cached_property takes each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801 - reads as the decorator that it is
    """An attribute that a method of the object makes once; frozen dataclasses may have some, those with slots not."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        """Take the method."""
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, one: None, kind: type) -> Self: ...
    @overload
    def __get__(self, one: object, kind: type) -> Value: ...
    def __get__(self, one: object | None, kind: type) -> Self | Value:
        """Make the value and keep it in the object, where it is found from then on without asking here."""
        if one is None:
            return self
        value = vars(one)[self._name] = self._make(one)
        return value
