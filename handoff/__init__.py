"""People: who takes a conversation or ticket, what is promised to customers and falls due, and where agents work."""
