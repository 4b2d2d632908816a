"""From verb scores of single frames to interactions with a begin and an end, in seconds."""
