"""Detectors: humans and objects of a frame. The shipped starter, and YOLOX-style ONNX files from a path."""
