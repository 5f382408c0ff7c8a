"""What happened, counted: computed from the rows themselves whenever somebody asks."""
