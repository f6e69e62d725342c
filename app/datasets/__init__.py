"""Frozen versions, exports and their proof."""
