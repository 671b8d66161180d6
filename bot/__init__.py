"""Aftercare: the dialogue engine and the application around it.

A message goes one way: receive -> understand -> decide -> record -> deliver.

``inbox``    stores what a channel read, under its unique key, and only then lets the channel acknowledge.
``worker``   leases the chats that have something waiting, asks ``intents`` and ``knowledge`` what was meant,
``engine``   decides (a pure function of values) what to say and do,
``record``   writes all of it in one transaction: state, messages, tickets, ratings, timers, facts;
``outbox``   sends what was recorded, in order per address, and gives up visibly.

``app`` puts the parts together, ``server`` serves the web, ``__main__`` the command line. Beside them stand

deciding      rules, flows, cues, texts; dialogue, talk, memory, policy, messages (values); failure
a worker      lanes, turns, decider, interpreter, lookups, rows, effects, group, duty
sending       joining, pace, allowance, doubt (of what may have arrived)
the database  store, sqlite, postgres, databaseurl, transaction, tables, schema, views, bulk, among, migrate, migrations
the web       connection, transport, hub, office (of channels), notebook, files, filerows, metrics
knowledge     knowledge_base, cache, asking, question_log
settings      config, section, channel_settings, environment, startrules, strictyaml, check
operators     launch, lock, backup, dead, verify, log, commands
text          text, jsontext, storable
"""
