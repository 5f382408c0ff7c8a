"""The copilot: it answers what a colleague asks about the CRM, with its sources, and proposes what to do."""
