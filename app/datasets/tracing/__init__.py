"""From a row of a version to all that it came from, and back."""
