"""How the offline model answers a colleague: rules find out what is asked, plans say what to look up, templates tell."""
