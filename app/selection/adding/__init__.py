"""What to add next: the candidates that would help the set most, each with its reason."""
