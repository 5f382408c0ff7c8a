"""A local SMTP server that takes mail in and fails on demand, for tests, benches and the crash sweep."""
