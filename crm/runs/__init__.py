"""Agent runs: the row that says whether a run is finished."""
