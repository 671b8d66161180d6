"""What do we know? FAQ entries in YAML, the index that ranks them for a question, and the tools to look after them."""
