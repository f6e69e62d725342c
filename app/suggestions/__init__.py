"""Help from a model: critiques and outlines that are asked for, shown, and never written into a text."""
