"""V-COCO: files, agent and role AP."""
