"""HICO-DET: truth, predictions of several forms, AP under named conventions, recall of unseen classes, reports."""
