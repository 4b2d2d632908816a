"""Claims about speed and sameness, one script each, measured as ratios against a named peer in the same process."""
