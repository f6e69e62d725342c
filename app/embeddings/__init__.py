"""The encoder and the vectors."""
