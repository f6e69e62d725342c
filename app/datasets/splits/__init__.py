"""Train, dev and test by a seeded rule."""
