"""Lists of benchmark prompts: what a project's prompts are compared with, and which come too near to be trained on."""
