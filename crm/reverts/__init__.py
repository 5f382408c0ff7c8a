"""What a run changed, taken back as one."""
