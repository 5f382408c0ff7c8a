"""A small real language model on the user's own processor: fetched once, checked, served on a loopback port."""
