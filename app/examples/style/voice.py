"""Rules of the voice: who speaks, to whom, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from app.examples.style.base import Draft, Remark, Rule, parameter
from app.sources.rules.wording import REFERENCES, any_of, first_persons

_ENDS = re.compile(r"[.!?:;\n]")


@dataclass(frozen=True)
class FirstPerson(Rule):
    """Asks that an answer speaks of the matter and not of its writer."""

    name: ClassVar[str] = "first_person"
    title: ClassVar[str] = "First person"
    why: ClassVar[str] = (
        "A model is no person with a past: it has no I that tried, liked or remembers something. An answer to a prompt "
        "that asks for a letter, a story or a speech speaks as somebody else and may."
    )
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on the first I or my of each sentence; narrow finds words between blanks alone."""
        if draft.speaks_as_somebody:
            return
        for found in _one_a_sentence(draft.own, first_persons(draft.own, self.mode)):
            yield self.at(draft, found.start(), found.end(), _FIRST_PERSON)


def _one_a_sentence(text: str, matches: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """The first match of each sentence; an I that is a king's is none, nor is a My that begins a name."""
    last: re.Match[str] | None = None
    for found in matches:
        if _MY_NAMES.match(text, found.start()) or (found.group() == "I" and _is_name(text, found)):
            continue
        if last is None or _ENDS.search(text, last.end(), found.start()):
            yield found
            last = found


def _is_name(text: str, found: re.Match[str]) -> bool:
    """Whether an I is a king's, or that of a thing with a number: complex I and II, UNIVAC I."""
    begins = max(0, found.start() - 40)
    if _KING.search(text, begins, found.start()):
        return True
    return _THING.search(text, begins, found.start()) is not None and _NO_VERB.match(text, found.end()) is not None


_THING = re.compile(
    r"\b(?:[A-Z]{3,}|[Cc]omplex|[Pp]hotosystem|[Cc]ollagen|[Ff]actor|[Pp]olymerase|[Rr]egion|[Vv]itamin|[Cc]ategory|"
    r"[Cc]ategories|[Gg]rade|[Tt]ier) $|\w [A-Z]\w+ $"
)
_NO_VERB = re.compile(r" ?(?:[,.;:()]|(?:and|or|to|is|are|has|does)\b|\Z)")
_MY_NAMES = re.compile(r"My (?:Lai|Tho|Dinh|Fair Lady|Little Pony|Chemical Romance)\b")
_KING = re.compile(
    r"\b(?:Kings?|Queens?|Popes?|Emperors?|Empress|Tsars?|Czars?|Princes?|Dukes?|Sultans?|Kaisers?|Pharaohs?)"
    r"(?: [A-Z][\w-]+){1,2} $"
    r"|\b(?:Charles|James|Elizabeth|Henry|George|Francis|Napoleon|Nicholas|William|Frederick|Otto|Justinian|Wilhelm|"
    r"Ramesses|Ptolemy|Leopold|Constantine|Theodosius|Darius|Xerxes|Suleiman) $"
)
_FIRST_PERSON = "Speaks of its writer. Say it of the matter or to the reader, without I and my."

_MORE_REFERENCES = (
    *("in the comments", "in a comment", "comment above", "comments above", "comment below", "comments below"),
    *("see comments", "the OP", "OP's", "upvote", "upvoted", "downvote", "downvoted", "as others have said"),
    *("as others have mentioned", "as others have pointed out", "as others mentioned", "as others said"),
)


@dataclass(frozen=True)
class References(Rule):
    """Asks that an answer stands alone."""

    name: ClassVar[str] = "references"
    title: ClassVar[str] = "Points elsewhere"
    why: ClassVar[str] = "Whoever reads the answer sees neither other answers nor the site they stood on."
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))
    phrases: tuple[str, ...] = parameter(REFERENCES + _MORE_REFERENCES, "Phrases that strict matching finds")

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each of the phrases, in any case; narrow knows LIMA's own two alone."""
        phrases = self.phrases if self.mode == "strict" else ("as mentioned", "stack exchange")
        known = any_of(phrases) if phrases else None
        if known is None or not known.may_be_in(draft.own):
            return
        for found in known.matches(draft.own):
            if not _stands_in_reach(draft.own, found):
                words = f"“{_shown(found)}” leans on a text that its reader does not have. Say what stands there."
                yield self.at(draft, found.start(), found.end(), words)


def _stands_in_reach(text: str, found: re.Match[str]) -> bool:
    """Whether nothing outside is pointed to: "as mentioned in step 2", or what one person said to another."""
    after = text[found.end() : found.end() + 30]
    if found.group() == "as mentioned":
        within = r"\s+(?:in (?:step|section|part|point)|earlier|previously|before)\b"
        return re.match(within, after, re.IGNORECASE) is not None
    return found.group()[1:] == "s answer" and re.match(r"\s+to\s+[A-Z]\w", after) is not None


def _shown(found: re.Match[str]) -> str:
    return " ".join(found.group().split())


_MACHINE = re.compile(
    r"\b[Aa]s an? (?:AI|A\.I\.|artificial intelligence|(?:large )?language model|(?:virtual|digital|AI) assistant|"
    r"machine learning model|chat ?bot)\b"
    r"|\b(?:I am|I['’]m|[Aa]m) (?:just |only |merely )?an? (?:AI|artificial intelligence|(?:large )?language model|"
    r"(?:virtual|digital) assistant|chat ?bot)\b"
    r"|\b[Mm]y (?:training data|knowledge cut-?\s?off|training cut-?\s?off|programming|creators at)\b"
    r"|\b(?:developed|trained|created|made) by (?:OpenAI|Anthropic|Google DeepMind|Meta AI)\b"
    r"(?=[^\n]{0,80}\b(?:I|my)\b)"
    r"|\bI (?:do not|don['’]t|cannot|can['’]t) (?:have|browse|access) (?:personal |real-time |the )?"
    r"(?:feelings|opinions|emotions|beliefs|experiences|internet|information|data)\b"
)


@dataclass(frozen=True)
class AsAnAi(Rule):
    """Asks that an answer does not speak of being a machine."""

    name: ClassVar[str] = "as_an_ai"
    title: ClassVar[str] = "“As an AI”"
    why: ClassVar[str] = "Who wrote these words is a person; a model that reads them must not learn to excuse itself."

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each place where the answer speaks as a machine."""
        for found in _one_a_sentence(draft.own, _MACHINE.finditer(draft.own)):
            words = "Speaks as a machine. Leave it out, and say what can be said."
            yield self.at(draft, found.start(), found.end(), words)


# What only a chat window leaves behind, and how such windows begin and end an answer; people write neither so.
_LEFT_BEHIND = re.compile(
    r"contentReference\[oaicite[^\n]{0,60}|\boaicite\b|\butm_source=chatgpt\.com|【\d+†[^】\n]{0,40}】|\bturn\d+search\d+\b"
    r"|^(?:ChatGPT said:?|Copy code|Regenerate response|You said:)[ \t]*$",
    re.MULTILINE,
)
_OPENING = re.compile(
    r"\A\s*(?:(?:Certainly|Absolutely|Of course|Sure(?: thing)?|Definitely)"
    r"(?:!|[,.] (?:Here|I(?:['’]d|['’]ll| can| would))\b)"
    r"|(?:That['’]s a |What a )?(?:[Gg]reat|[Ee]xcellent) question[!.]"
    r"|I['’]d be (?:happy|glad|delighted) to (?:help|assist)\b)"
)
_CLOSING = re.compile(
    r"(?:Is there anything else (?:you(?:['’]d like| would like| want)|I can)[^\n?]{0,80}\?"
    r"|Would you like me to [^\n?]{1,120}\?"
    r"|If you have any (?:other|further|more|additional) questions[^\n]{0,40}(?:feel free|don['’]t hesitate)[^\n]{0,60}"
    r"|(?:Please )?(?:[Ff]eel free|[Dd]on['’]t hesitate) to (?:ask|reach out)[^\n]{0,80})\s*\Z"
)


@dataclass(frozen=True)
class Chatbot(Rule):
    """Suspects text that was pasted from a chatbot."""

    name: ClassVar[str] = "chatbot"
    title: ClassVar[str] = "Perhaps pasted from a chatbot"
    why: ClassVar[str] = (
        "The set is worth its people's own words. It is a suspicion and no more: nothing is held up by it."
    )
    suspects: ClassVar[bool] = True

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on what a chat window leaves behind, and on its way to open and to close an answer."""
        for pattern, words in _SIGNS_OF_A_WINDOW:
            for found in pattern.finditer(draft.own):
                start = found.end() - len(found.group().lstrip())
                yield self.at(draft, start, start + len(found.group().strip()), words)


_SIGNS_OF_A_WINDOW = (
    (_OPENING, "Opens as chatbots do. If these are your own words, begin with the matter."),
    (_LEFT_BEHIND, "A chat window leaves such words behind. If the text is your own, take them out."),
    (_CLOSING, "Closes as chatbots do. If these are your own words, end where the answer ends."),
)
