"""Pairs that look alike, and what was decided."""
