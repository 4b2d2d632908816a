"""Scores against ground truth: segments, boxes and pairs. numpy only; reads what sinks wrote."""
