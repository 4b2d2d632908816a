"""Models on this machine: what there is, what can be fetched, and what is missing here."""
