"""Companies: the organizations that contacts work at."""
