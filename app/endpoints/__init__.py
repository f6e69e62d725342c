"""Model servers that speak as OpenAI's does, registered by an admin."""
