"""Identity of humans and objects over time, in seconds."""
