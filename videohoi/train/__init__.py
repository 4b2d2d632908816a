"""Training: datasets, views, teachers, losses and loops. Needs the ``train`` extra (torch)."""
