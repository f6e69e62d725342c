"""Conversations as LIMA, OpenAI, Alpaca and ShareGPT write them, each kept whole."""

from __future__ import annotations

from app.sources.readers.chat_rows import alpaca, is_alpaca, is_lima, is_messages, is_sharegpt, lima, messages, sharegpt
from app.sources.readers.rows import Shape, conversation

SHAPES = (
    Shape("lima", "LIMA (conversations as a list of texts)", is_lima, conversation(lima)),
    Shape("messages", "OpenAI messages", is_messages, conversation(messages)),
    Shape("alpaca", "Alpaca (instruction, input, output)", is_alpaca, conversation(alpaca)),
    Shape("sharegpt", "ShareGPT (conversations of from and value)", is_sharegpt, conversation(sharegpt)),
)
