"""The demo input: a short clip composed of two bundled photographs, and the truth about it.

Heavy parts live in :mod:`videohoi.demo.compose`; importing this package costs nothing.
"""
