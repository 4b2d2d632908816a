"""Boxes: average precision as COCO counts it."""
