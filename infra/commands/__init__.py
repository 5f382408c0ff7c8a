"""The commands of `getsale`, a module a noun; `infra.cli` puts them together."""
