"""Conversations and pairs in the forms in which others keep them, each kept whole."""

from __future__ import annotations

from app.sources.readers.chat_rows import (
    ALPACA,
    alpaca,
    is_alpaca,
    is_lima,
    is_messages,
    is_sharegpt,
    lima,
    messages,
    sharegpt,
)
from app.sources.readers.pair_rows import (
    CONTEXTS,
    PROMPTS,
    RESPONSES,
    instances,
    is_pair,
    is_preference,
    is_questions,
    is_self_instruct,
    next_turns,
    pair,
    preference,
    questions,
    rejected,
    split_of_task,
)
from app.sources.readers.rows import Shape, conversation

SHAPES = (
    Shape("lima", "LIMA (conversations as a list of texts)", is_lima, conversation(lima, ["conversations", "system"])),
    Shape(
        "preference",
        "Preferences (chosen and rejected)",
        is_preference,
        conversation(preference, ["prompt", "chosen", "rejected"], rejected),
    ),
    Shape("messages", "OpenAI messages", is_messages, conversation(messages, ["messages", "prompt", "completion"])),
    Shape(
        "sharegpt",
        "ShareGPT (conversations of from and value)",
        is_sharegpt,
        conversation(sharegpt, ["conversations", "system"]),
    ),
    Shape(
        "self_instruct",
        "Self-Instruct (an instruction with instances)",
        is_self_instruct,
        conversation(alpaca, ALPACA),
        parts=instances,
        split=split_of_task,
    ),
    Shape("pair", "Prompt and response", is_pair, conversation(pair, [*PROMPTS, *RESPONSES, *CONTEXTS, "system"])),
    Shape("alpaca", "Alpaca (instruction, input, output)", is_alpaca, conversation(alpaca, ALPACA)),
    Shape(
        "questions",
        "Questions (turns, as MT-bench has them)",
        is_questions,
        conversation(questions, ["turns"], next_turns),
        # A benchmark asks them; an answer that was trained on says nothing there.
        split=lambda _: "test",
    ),
)
FORMATS = tuple(shape.format() for shape in SHAPES)
"""The first whose form a file's rows have reads it."""
