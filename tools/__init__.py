"""Typed tools: names for crm and graph functions that an agent may call, through one dispatcher."""
