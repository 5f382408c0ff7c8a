"""Mechanisms every other package stands on; no business noun appears here."""
