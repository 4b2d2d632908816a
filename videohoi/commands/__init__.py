"""The command line (``app``) and what each command does."""
