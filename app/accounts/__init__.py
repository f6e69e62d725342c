"""People, roles, sign-in, tokens and the trail."""
