"""Two versions compared by meaning: page, JSON, release notes."""
