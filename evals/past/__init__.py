"""What people once decided and wrote, as cases: nothing in a case is younger than its moment."""
