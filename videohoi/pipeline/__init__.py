"""Putting the rooms together: stages as graph nodes, bundled pipelines, and the job of annotating files."""
