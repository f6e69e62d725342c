"""A version on the Hugging Face Hub: shown first, sent by a job, checked against the hash."""
