"""Channels: how messages enter and leave the product, one package for each kind of messenger."""
