"""Aftercare: the dialogue engine and the application around it.

A message goes one way: receive -> understand -> decide -> record -> deliver.

``inbox``    stores what a channel read, under its unique key, and only then lets the channel acknowledge.
``worker``   leases the chats that have something waiting, asks ``intents`` and ``knowledge`` what was meant,
``engine``   decides (a pure function of values) what to say and do,
``record``   writes all of it in one transaction: state, messages, tickets, ratings, timers, facts;
``outbox``   sends what was recorded, in order per address, and gives up visibly.

``app`` puts the parts together, ``server`` serves the web, ``__main__`` the command line.
"""
