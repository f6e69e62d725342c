"""Prompt/response examples and their revisions."""
