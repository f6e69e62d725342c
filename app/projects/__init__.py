"""Projects, their composition targets and members."""
