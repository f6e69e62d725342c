"""The pool is searched: by words, by meaning, by both."""
