"""The organization's own documents: what agents may know and, where it says so, quote to customers."""
