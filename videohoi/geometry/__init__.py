"""Boxes, and quantities computed from them."""
