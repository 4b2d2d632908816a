"""Readers of HOI data sets: each returns the same flat table of pairs and refuses what it cannot read in full."""
