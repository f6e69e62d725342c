"""The pool as a map: where each candidate lies by what its prompt means, and the regions that this makes."""
