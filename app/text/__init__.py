"""Pure work on text: Markdown, diffs, counts, canonical JSON; no database and no request."""
