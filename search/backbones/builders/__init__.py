"""Modules that are built on this machine, out of packages and files of word vectors."""
