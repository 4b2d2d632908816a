"""Boxes and what is computed from them."""
