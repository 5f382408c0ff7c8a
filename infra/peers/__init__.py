"""Local servers that speak a real protocol, with faults on demand; for the demo, tests and benches."""
