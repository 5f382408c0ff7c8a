"""Commissions: what a partner is owed for each deal that was won."""
