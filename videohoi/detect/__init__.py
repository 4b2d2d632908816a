"""Detectors: humans and objects of a frame. The shipped starter, or YOLOX- and PicoDet-style ONNX files."""
