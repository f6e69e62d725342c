"""The second person's verdicts."""
