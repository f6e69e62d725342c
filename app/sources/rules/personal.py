"""The rule of personal data: what could lead to a person, or open a door, is marked for somebody to look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from app.sources.records import Message, Record
from app.sources.rules.base import MarkingRule, Remark, Span, parameter, passage

_MAIL = re.compile(r"(?<![\w.+-])[^\W_][\w.+-]{0,63}@(?:(?:(?!_)[\w-]){1,63}\.)+[^\W\d_]{2,24}\b")
# Addresses that stand for none.
_NOBODY = re.compile(
    r"@(?:[\w.-]+\.)?(?:example|test|invalid|localhost|domain)(?:\.\w+)?$|^(?:you|your|user|name|me)@", re.IGNORECASE
)
_KEYS = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b"  # Amazon
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{40,}"
    r"|\bglpat-[\w-]{20,}"
    r"|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}|\bsk_live_[A-Za-z0-9]{16,}"
    r"|\bhf_[A-Za-z0-9]{30,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAIza[\w-]{35}\b"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"  # a signed token
    r"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
)
# One of these stands in every key above; to look for them first is ten times faster.
_STARTS = (
    *("AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_", "hf_", "xox", "AIza"),
    *("eyJ", "PRIVATE KEY"),
)
_DIGITS = re.compile(r"\d[\d\s().\-/]{5,}\d")


@dataclass(frozen=True)
class PersonalData(MarkingRule):
    """Marks e-mail addresses, phone numbers and keys."""

    name: ClassVar[str] = "personal_data"
    title: ClassVar[str] = "Personal data"
    hint: ClassVar[str] = "Marked for a person, never dropped."
    sentence: ClassVar[str] = (
        "A record with an e-mail address, a phone number or a secret key is marked for a person to look at: whether it "
        "may stay no pattern can say. Numbers without a country code are read as of the region."
    )
    applies: ClassVar[str] = "records"
    region: str = parameter("US", "Region", choices=("US", "GB", "DE", "FR", "IN", "none"))

    def applies_to(self, record: Record) -> bool:
        """Every record has words."""
        return bool(record.messages)

    def remarks(self, record: Record) -> tuple[Remark, ...]:
        """Give the first place of each kind of data in the messages of a record."""
        finders: dict[str, Callable[[str], Iterable[Span]]] = {
            "e-mail address": mails,
            "phone number": self._phones,
            "secret key": keys,
        }
        found = (_first(record, word, finder) for word, finder in finders.items())
        return tuple(remark for remark in found if remark is not None)

    def _phones(self, text: str) -> Iterator[Span]:
        # The matcher is slow, and few texts have so many digits in a row.
        if not _DIGITS.search(text):
            return iter(())
        return phone_numbers(text, None if self.region == "none" else self.region)


def _first(record: Record, word: str, finder: Callable[[str], Iterable[Span]]) -> Remark | None:
    for number, message in enumerate(record.messages, start=1):
        for start, end in finder(message.content):
            return Remark(word, passage(word, message, start, end, _whose(record, message, number)))
    return None


def _whose(record: Record, message: Message, number: int) -> str:
    return "" if (message,) == record.responses else f" of message {number}"


def mails(text: str) -> Iterator[Span]:
    """Give the places of e-mail addresses that are somebody's."""
    if "@" not in text:
        return iter(())
    return (found.span() for found in _MAIL.finditer(text) if not _NOBODY.search(found.group()))


def keys(text: str) -> Iterator[Span]:
    """Give the places of secret keys."""
    if not any(start in text for start in _STARTS):
        return iter(())
    return (found.span() for found in _KEYS.finditer(text))


def phone_numbers(text: str, region: str | None) -> Iterator[Span]:
    """Give the places of phone numbers; those without a country code are read as of the region."""
    matcher: Any = _matcher(text, region)
    return ((found.start, found.end) for found in matcher)


def _matcher(text: str, region: str | None) -> Any:
    import phonenumbers  # 35 ms that no import needs without this rule

    return phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.STRICT_GROUPING)
