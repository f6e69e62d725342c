"""Conversations and pairs in the forms in which others keep them, each kept whole."""

from __future__ import annotations

from app.sources.readers.chat_rows import alpaca, is_alpaca, is_lima, is_messages, is_sharegpt, lima, messages, sharegpt
from app.sources.readers.pair_rows import (
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
)
from app.sources.readers.rows import Shape, conversation

SHAPES = (
    Shape("lima", "LIMA (conversations as a list of texts)", is_lima, conversation(lima)),
    Shape("preference", "Preferences (chosen and rejected)", is_preference, conversation(preference, rejected)),
    Shape("messages", "OpenAI messages", is_messages, conversation(messages)),
    Shape("sharegpt", "ShareGPT (conversations of from and value)", is_sharegpt, conversation(sharegpt)),
    Shape(
        "self_instruct",
        "Self-Instruct (an instruction with instances)",
        is_self_instruct,
        conversation(alpaca),
        parts=instances,
    ),
    Shape("pair", "Prompt and response", is_pair, conversation(pair)),
    Shape("alpaca", "Alpaca (instruction, input, output)", is_alpaca, conversation(alpaca)),
    Shape("questions", "Questions (turns, as MT-bench has them)", is_questions, conversation(questions, next_turns)),
)
"""The first whose form a file's rows have reads it."""
