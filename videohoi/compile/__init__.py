"""Engines behind one call signature: what runs an ONNX graph, chosen by name, with the choice visible."""
