"""Interaction heads, one method a file; import the file you want (nothing is loaded here)."""
