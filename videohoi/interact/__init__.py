"""Pairs of humans and objects, the heads that score their verbs, and the one scoring formula (``fusion``)."""
