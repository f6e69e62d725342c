"""The search for near pairs: pure numbers, without texts and without a database."""
