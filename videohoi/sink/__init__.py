"""Where results go: CSV, JSON Lines, a video with drawings, a list, a function. Files appear whole or not at all."""
