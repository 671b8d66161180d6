"""The command line's groups of commands, one per file, and what they share: ``bot/__main__.py`` puts them together."""
