"""What a prompt and its response seem to be, by their words: told to whoever sets the flags, never set by itself."""

import re
from collections.abc import Sequence

from app.examples.messages import Message
from app.examples.style.base import Draft
from app.examples.style.fit import Acknowledgement

# Words that fix the structure of the answer and not its subject (LIMA, appendix E: summaries in bullets, articles in
# parts, plans with sections). A request for "a list of causes" is a question; "a list of five" is a form.
_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred)"
_PARTS = (
    r"bullet(?:ed)?[ -](?:points?|lists?)|bullets|numbered list|(?:as|in) (?:a |an )?(?:table|json|yaml|csv|xml|haiku)"
    r"|markdown table|acrostic|limerick|sonnet|rhyming couplets"
)
_UNITS = (
    r"(?:(?:bullet|key|main|short|simple) )?"
    r"(?:words|sentences?|paragraphs?|lines|bullets|points|steps|sections|parts|items|stanzas|tweets?)"
)
_FORM = re.compile(
    rf"\b(?:{_PARTS}"
    rf"|(?:in|exactly|at most|at least|no more than|under|within|less than|fewer than|maximum of) {_NUMBER} {_UNITS}"
    rf"|{_NUMBER}-(?:word|sentence|paragraph|line|part|step|section|bullet|point)"
    r"|(?:each|every) (?:section|paragraph|line|item|sentence|bullet) (?:should|must|has to|starts|begins)"
    r"|(?:with|under) (?:the following |these )?(?:headings?|sections?|subheadings?)"
    r"|(?:format|structure) (?:it|this|your (?:answer|response|reply)|the (?:answer|response)) (?:as|in|like|with))\b",
    re.IGNORECASE,
)

OPENING = Acknowledgement(shortest=1, opening=160)


def format_words(messages: Sequence[Message]) -> str:
    """The words of the prompts that fix the answer's structure, as they stand there; empty where none do."""
    for message in messages:
        found = _FORM.search(str(message["content"])) if message["role"] == "user" else None
        if found:
            return " ".join(found[0].split())
    return ""


def opens_with_the_question(messages: Sequence[Message]) -> bool:
    """Whether the first response begins with words of the prompt, as the house-style rule reads it.

    A prompt with hardly a word of its own, or one that asks for a letter or a story, tells nothing.
    """
    spoken = [str(message["content"]) for message in messages if message["role"] != "system"]
    if len(spoken) < 2 or not spoken[1].strip():
        return False
    # What the rule says of words that take up nothing at all tells whether it has anything to say of this prompt.
    nothing, response = (Draft(text=text, prompt=spoken[0]) for text in ("…", spoken[1]))
    return any(OPENING.remarks(nothing)) and not any(OPENING.remarks(response))
