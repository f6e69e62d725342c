"""Which rows of a pool stand for it: pure, exact, and the same on every machine."""
