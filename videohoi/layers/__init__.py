"""Neural-network blocks shared by detectors and heads (needs the ``models`` extra: torch)."""
