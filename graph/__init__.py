"""The relationship graph: a projection of crm/facts that can be dropped and rebuilt at any time."""
