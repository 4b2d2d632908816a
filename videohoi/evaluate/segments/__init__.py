"""Predicted segments against hand-made truth: matching, scores, the always-on baseline, the choice of a threshold."""
