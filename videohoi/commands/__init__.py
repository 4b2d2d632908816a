"""What can be typed (``app``) and what each command does."""
